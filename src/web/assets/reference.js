// Shows the OpenAPI document in Swagger UI, which has been loaded before.
const root = document.getElementById("reference");
const dark = matchMedia("(prefers-color-scheme: dark)");

function followColorScheme() {
  document.documentElement.classList.toggle("dark-mode", dark.matches);
}

/**
 * The document names the service by its issuer. The page calls the origin that it was loaded from: that may
 * have another name, and the page's policy allows no other.
 */
async function loadDocument(address) {
  const answer = await fetch(address);
  if (!answer.ok) throw new Error(`${address} was answered with ${answer.status}`);
  const text = await answer.text();
  const [server] = JSON.parse(text).servers;
  const here = new URL(".", answer.url).href.replace(/\/$/, "");
  return forPage(JSON.parse(text.replaceAll(server.url, here)));
}

/** The document without the parts that are useless on this page. */
function forPage(document) {
  const { securitySchemes } = document.components;
  // The browser sends it by itself; nobody can type it.
  delete securitySchemes.cookie;
  for (const operation of operationsOf(document)) {
    operation.security = operation.security.filter((alternative) => !("cookie" in alternative));
  }
  for (const { requestBody } of operationsOf(document)) {
    const form = requestBody?.content["application/x-www-form-urlencoded"];
    if (form !== undefined) emptyFields(find(document, form.schema.$ref), form.example);
  }
  return document;
}

/**
 * A form's fields are empty where the contract has no example; Swagger UI would make one up, and send it. So are
 * masked ones, in which nobody sees that it is an example.
 */
function emptyFields({ properties }, example) {
  for (const [name, property] of Object.entries(properties)) {
    if (property.format === "password") {
      delete property.examples;
      delete example[name];
    }
    if (property.type === "string" && property.examples === undefined) property.default = "";
  }
}

function operationsOf(document) {
  return Object.values(document.paths).flatMap((path) => Object.values(path));
}

/** Swagger UI shows an open or closed lock only if signing in is optional. These locks show if it is required. */
const locksWhereNeeded = () => ({
  wrapComponents: {
    OperationSummary:
      (Original, { React }) =>
      ({ operationProps, ...others }) => {
        const isNeeded = operationProps.get("security")?.every((alternative) => !alternative.isEmpty());
        const shown = isNeeded ? operationProps : operationProps.delete("security");
        return React.createElement(Original, { ...others, operationProps: shown });
      },
  },
});

/**
 * The document with what it refers to in place. Swagger UI would find that out for each operation when it is opened,
 * and draw it anew a moment later: the keyboard would have gone past it.
 */
function resolve(document) {
  const resolveValue = (value, within) => {
    if (typeof value !== "object" || value === null) return value;
    if (Array.isArray(value)) return value.map((item) => resolveValue(item, within));
    const { $ref: reference } = value;
    if (typeof reference !== "string" || within.includes(reference)) return resolveMembers(value, within);
    return { ...resolveMembers(find(document, reference), [...within, reference]), $$ref: reference };
  };
  const resolveMembers = (value, within) =>
    Object.fromEntries(Object.entries(value).map(([name, member]) => [name, resolveValue(member, within)]));
  return resolveMembers(document, []);
}

/** @param reference to a component: no part of it needs unescaping */
function find(document, reference) {
  return reference
    .split("/")
    .slice(1)
    .reduce((value, name) => value[name], document);
}

/** Repairs elements that Swagger UI leaves without a name, or out of reach of the keyboard. */
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
  // The element that had the focus is gone after signing in.
  if (shown !== null && !shown.contains(document.activeElement)) shown.querySelector(".btn-done")?.focus();
  if (shown === null && dialog !== null) endDialog();
  dialog = shown;
}

/** The sign-in dialog: the focus begins at the first field and stays inside; Enter submits. */
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

/** Returns the focus to the button that opened the dialog; signing in may have replaced that button. */
function endDialog() {
  const opener = focusedBefore?.isConnected ? focusedBefore : root.querySelector(".auth-wrapper > .btn");
  opener?.focus();
}

function rememberFocus({ target }) {
  if (target.closest(".modal-ux") === null) focusedBefore = target;
}

async function show() {
  new MutationObserver(mend).observe(root, { childList: true, subtree: true });
  const spec = await loadDocument(root.dataset.document);
  const page = window.SwaggerUIBundle({
    spec,
    onComplete: () => page.specActions.updateResolvedSubtree([], resolve(spec)),
    plugins: [locksWhereNeeded],
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
