/** The most bytes that a request's body, or a message when decompressed, may have. A login takes one. */
export const messageBytesMax = 65_536;

/** The most bytes that a request's target may have: its path and query. */
export const uriBytesMax = 8_192;

/** The most bytes that a request's header may have: names, values, and four for what separates them. */
export const headerBytesMax = 16_384;

/** The most lines that a request's header may have. */
export const headerLinesMax = 100;

/**
 * What the parsers accept. It is more than the limits, so that a request above them is read and gets a proper answer.
 * Above this HTTP/1.1 is answered without being read, and an HTTP/2 stream is reset.
 */
export const parsedHeader = { bytesMax: 32_768, linesMax: 128 } as const;
