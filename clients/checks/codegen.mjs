// TypeScript types and typed documents of each application, by GraphQL Code Generator.
const apps = ["web", "mobile", "tracking", "staff"];
const scalars = { DateTime: "string", Date: "string", Decimal: "string", ID: "string" };

export default {
  schema: "schema.graphql",
  generates: Object.fromEntries(
    apps.map((app) => [
      `types/${app}.ts`,
      {
        documents: `apps/${app}/*.graphql`,
        plugins: ["typescript-operations", "typed-document-node"],
        config: { scalars, strictScalars: true, useTypeImports: true },
      },
    ]),
  ),
};
