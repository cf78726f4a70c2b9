// The recommended rules of graphql-eslint for schemas; docs/decisions/0022 has the reason of each exception.
import graphql from "@graphql-eslint/eslint-plugin";
import { ESLint } from "eslint";
import { buildSchema } from "graphql";
import { readFileSync } from "node:fs";

const schema = buildSchema(readFileSync("schema.graphql", "utf8"));
const isNode = (name) => schema.getType(name)?.getInterfaces?.().some((each) => each.name === "Node");

const EXCEPTIONS = {
  // Only what implements Node has an identity; the others are values, pages, payloads and updates.
  "@graphql-eslint/strict-id-in-types": (message) => !isNode(message.match(/type "(\w+)"/)[1]),
  "@graphql-eslint/no-typename-prefix": (message) => /^Field "(price|productType)" /.test(message),
};

const eslint = new ESLint({
  overrideConfigFile: true,
  overrideConfig: {
    files: ["**/*.graphql"],
    plugins: { "@graphql-eslint": graphql },
    languageOptions: {
      parser: graphql.parser,
      parserOptions: { graphQLConfig: { schema: "./schema.graphql", documents: "./apps/*/*.graphql" } },
    },
    rules: graphql.configs["flat/schema-recommended"].rules,
  },
});
const found = (await eslint.lintFiles(["schema.graphql"])).flatMap((file) => file.messages);
const isException = ({ ruleId, message }) => EXCEPTIONS[ruleId]?.(message) ?? false;
const broken = found.filter((each) => !isException(each));
for (const { ruleId, line, message } of broken) console.error(`schema.graphql:${line} ${ruleId} ${message}`);
const unused = Object.keys(EXCEPTIONS).filter((rule) => !found.some((each) => each.ruleId === rule));
for (const rule of unused) console.error(`${rule} is broken nowhere: it needs no exception`);
console.log(`${Object.keys(graphql.configs["flat/schema-recommended"].rules).length} rules, ${found.length - broken.length} exceptions`);
process.exit(broken.length + unused.length ? 1 : 0);
