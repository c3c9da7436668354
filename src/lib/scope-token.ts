const form = /^[\x21\x23-\x5b\x5d-\x7e]+$/;

/** Whether a text is one scope name: RFC 6749 section 3.3, scope-token. */
export function isScopeToken(text: string): boolean {
  return form.test(text);
}
