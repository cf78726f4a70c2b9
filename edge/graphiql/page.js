// The page is served at the address of the API, so both transports start from where we are.
const api = new URL(location.pathname, location.origin);
const socket = new URL(api);
socket.protocol = location.protocol === "https:" ? "wss:" : "ws:";

// The fetcher sends what stands in the headers editor over HTTP and as the payload of connection_init alike.
const fetcher = GraphiQL.createFetcher({
  url: api.href,
  subscriptionUrl: socket.href,
  headers: { accept: "application/graphql-response+json, application/json;q=0.9" },
  enableIncrementalDelivery: false,
});

const explorer = GraphiQLPluginExplorer.explorerPlugin();
const examples = JSON.parse(document.getElementById("examples").textContent);

const page = React.createElement(
  GraphiQL,
  {
    fetcher,
    plugins: [explorer],
    visiblePlugin: explorer,
    defaultTabs: examples.map((query) => ({ query })),
    isHeadersEditorEnabled: true,
    // A name of our own: another GraphiQL once opened on the same host and port keeps its tabs to itself.
    storage: GraphiQL.createLocalStorage({ namespace: "cartwheel" }),
  },
  React.createElement(GraphiQL.Logo, null, "Cartwheel"),
);

ReactDOM.createRoot(document.getElementById("graphiql")).render(page);
