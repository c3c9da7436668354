// Shows the OpenAPI document in Swagger UI, which has been loaded before.
const root = document.getElementById("reference");
const dark = matchMedia("(prefers-color-scheme: dark)");

function followColorScheme() {
  document.documentElement.classList.toggle("dark-mode", dark.matches);
}

/**
 * The document names the service by its issuer. The page calls the origin that it came from: it may be
 * reached by another name, and its policy lets it connect nowhere else.
 */
async function loadDocument(address) {
  const answer = await fetch(address);
  if (!answer.ok) throw new Error(`${address} was answered with ${answer.status}`);
  const text = await answer.text();
  const [server] = JSON.parse(text).servers;
  return JSON.parse(text.replaceAll(server.url, new URL(".", answer.url).href.replace(/\/$/, "")));
}

/** What Swagger UI leaves without a name, or out of a keyboard's reach: how each is mended. */
const mends = {
  ".examples-select-element": (select) => select.setAttribute("aria-label", "Example"),
  ".close-modal": (button) => button.setAttribute("aria-label", "Close"),
  ".auth-btn-wrapper .authorize": (button) => button.removeAttribute("aria-label"),
  "pre.microlight": (code) => code.setAttribute("tabindex", "0"),
};

let dialog = null;
let focusedBefore = null;

function mend() {
  for (const [selector, change] of Object.entries(mends)) root.querySelectorAll(selector).forEach(change);
  const shown = root.querySelector(".modal-ux");
  if (shown !== null && shown !== dialog) beginDialog(shown);
  // What had the focus is gone once it has signed somebody in.
  if (shown !== null && !shown.contains(document.activeElement)) shown.querySelector(".btn-done")?.focus();
  if (shown === null && dialog !== null) endDialog();
  dialog = shown;
}

/** Signing in: the keyboard begins at the first field, sends what was typed by Enter, and stays within. */
function beginDialog(opened) {
  const controls = () => [...opened.querySelectorAll("a[href], button, input, select")];
  opened.setAttribute("role", "dialog");
  opened.setAttribute("aria-modal", "true");
  opened.setAttribute("aria-label", "Available authorizations");
  opened.querySelector("input")?.focus();
  opened.addEventListener("keydown", (event) => {
    const { key, shiftKey, target } = event;
    const [first, last] = [controls().at(0), controls().at(-1)];
    if (key === "Enter" && target.matches("input") && target.form === null) {
      target.closest(".auth-container").querySelector(".authorize")?.click();
    }
    if (key !== "Tab" || target !== (shiftKey ? first : last)) return;
    event.preventDefault();
    (shiftKey ? last : first).focus();
  });
}

/** The keyboard goes on where it was; signing in may have made that button anew. */
function endDialog() {
  const opener = focusedBefore?.isConnected ? focusedBefore : root.querySelector(".auth-wrapper > .btn");
  opener?.focus();
}

function rememberFocus({ target }) {
  if (target.closest(".modal-ux") === null) focusedBefore = target;
}

async function show() {
  new MutationObserver(mend).observe(root, { childList: true, subtree: true });
  window.SwaggerUIBundle({
    spec: await loadDocument(root.dataset.document),
    domNode: root,
    defaultModelsExpandDepth: 0,
    displayRequestDuration: true,
    docExpansion: "list",
    tryItOutEnabled: true,
    validatorUrl: null,
  });
}

root.addEventListener("focusin", rememberFocus);
followColorScheme();
dark.addEventListener("change", followColorScheme);
show().catch(() => {
  root.textContent = "The OpenAPI document could not be loaded. Reload the page to try again.";
});
