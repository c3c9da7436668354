/** The most bytes that a request's body, or a message when decompressed, may have. A login takes one. */
export const messageBytesMax = 65_536;
