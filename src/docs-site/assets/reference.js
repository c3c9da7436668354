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

function mend() {
  for (const [selector, change] of Object.entries(mends)) root.querySelectorAll(selector).forEach(change);
  const opened = root.querySelector(".modal-ux:not([role])");
  if (opened !== null) mendDialog(opened);
}

/**
 * Signing in: the keyboard begins at the first field, sends what was typed by Enter, stays within the
 * dialog, and leaves it by Escape.
 */
function mendDialog(dialog) {
  const controls = () => [...dialog.querySelectorAll("a[href], button, input, select")];
  dialog.setAttribute("role", "dialog");
  dialog.setAttribute("aria-modal", "true");
  dialog.setAttribute("aria-label", "Available authorizations");
  dialog.querySelector("input")?.focus();
  dialog.addEventListener("keydown", (event) => {
    const { key, shiftKey, target } = event;
    const [first, last] = [controls().at(0), controls().at(-1)];
    if (key === "Escape") dialog.querySelector(".close-modal").click();
    if (key === "Enter" && target.matches("input") && target.form === null) {
      target.closest(".auth-container").querySelector(".authorize")?.click();
    }
    if (key !== "Tab" || target !== (shiftKey ? first : last)) return;
    event.preventDefault();
    (shiftKey ? last : first).focus();
  });
  dialog.addEventListener("click", ({ target }) => {
    if (target.closest(".close-modal, .btn-done") !== null) root.querySelector(".auth-wrapper > .btn").focus();
  });
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

followColorScheme();
dark.addEventListener("change", followColorScheme);
show().catch(() => {
  root.textContent = "The OpenAPI document could not be loaded. Reload the page to try again.";
});
