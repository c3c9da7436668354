/** What a list RPC answers. */
interface Page<Item> {
  readonly items: readonly Item[];
  readonly nextPageToken: string;
}

/** The items of all pages, each asked for when those before it have been taken. */
export async function* readPages<Item>(
  read: (pageToken: string) => Promise<Page<Item>>,
): AsyncGenerator<Item> {
  let pageToken = "";
  do {
    const { items, nextPageToken } = await read(pageToken);
    yield* items;
    // A service that answers one page for ever is not followed.
    pageToken = nextPageToken === pageToken ? "" : nextPageToken;
  } while (pageToken !== "");
}
