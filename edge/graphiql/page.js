// The page is served at the address of the API, so both transports start from where we are.
const api = new URL(location.pathname, location.origin);
const socket = new URL(api);
socket.protocol = location.protocol === "https:" ? "wss:" : "ws:";

const content = JSON.parse(document.getElementById("content").textContent);
const signIn = new SignIn(api.href, content);
signIn.start();

// A link such as ?query=...&variables=...&operationName=... opens in a tab of its own.
const link = Object.fromEntries(new URLSearchParams(location.search));
const EXPLORER_FROM_PIXELS = 1000;

const send = GraphiQL.createFetcher({
  url: api.href,
  subscriptionUrl: socket.href,
  headers: { accept: "application/graphql-response+json, application/json;q=0.9" },
  enableIncrementalDelivery: false,
});

// What stands in the headers editor of a tab wins over the sign-in of all tabs.
async function fetcher(parameters, options) {
  const headers = { ...(await signIn.headers()), ...lowerCase(options?.headers) };
  const result = await send(parameters, { ...options, headers });
  if (!(Symbol.asyncIterator in Object(result))) signIn.notice(result);
  return result;
}

function lowerCase(headers) {
  return Object.fromEntries(Object.entries(headers ?? {}).map(([name, value]) => [name.toLowerCase(), value]));
}

const explorer = GraphiQLPluginExplorer.explorerPlugin();

function Page() {
  const [visible, setVisible] = React.useState(innerWidth >= EXPLORER_FROM_PIXELS ? explorer : null);
  return React.createElement(
    GraphiQL,
    {
      fetcher,
      plugins: [explorer],
      visiblePlugin: visible ?? undefined,
      onTogglePluginVisibility: setVisible,
      defaultTabs: [...(link.query ? [link] : []), ...content.examples.map((query) => ({ query }))].map(
        ({ query, variables }) => ({ query, variables }),
      ),
      query: link.query,
      variables: link.variables,
      isHeadersEditorEnabled: true,
      // A name of our own: another GraphiQL once opened on the same host and port keeps its tabs to itself.
      storage: GraphiQL.createLocalStorage({ namespace: "cartwheel" }),
    },
    React.createElement(GraphiQL.Logo, null, React.createElement("span")),
  );
}

ReactDOM.createRoot(document.getElementById("graphiql")).render(React.createElement(Page));

// The cursor says which of several operations is executed.
if (link.query && link.operationName) {
  const line = link.query.split("\n").findIndex((text) => text.includes(` ${link.operationName}`));
  const place = () => {
    const editor = document.querySelector(".graphiql-query-editor .CodeMirror")?.CodeMirror;
    if (editor?.getValue() === link.query) editor.setCursor(Math.max(line, 0), 0);
    else setTimeout(place, 100);
  };
  place();
}
