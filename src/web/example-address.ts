/**
 * The address of the service in the generated document: in servers, tokenUrl and the
 * examples. It is replaced by the service's own (ISSUER and BASE_PATH) when the document is served.
 */
export const exampleAddress = "https://id.example.org";
