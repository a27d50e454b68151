// Darkroom from a program of your own, with the MCP TypeScript SDK and no model: generate, wait, show.
import { Client } from "@modelcontextprotocol/client";
import { StdioClientTransport } from "@modelcontextprotocol/client/stdio";

// The server gets little more than PATH, HOME and what stands in `env`, for example { FATTHUMB_API_KEY: "…" }.
const server = new StdioClientTransport({ command: "darkroom-mcp", args: ["serve"], env: {} });
const client = new Client({ name: "example", version: "1.0.0" });
await client.connect(server);

const wish = { prompt: "A lighthouse keeper reading by lamplight", provider: "sketch", count: 2 };
const generation: any = (await client.callTool({ name: "generate", arguments: wish })).structuredContent;

// The id came at once; a wait that runs out of time is no error, and the next one goes on from there.
let result: any;
do {
  result = await client.callTool(
    { name: "wait", arguments: { generation_ids: [generation.id] } },
    {
      onprogress: ({ message }) => console.log("progress:", message),
      // The SDK gives a call 60 s; each report starts them anew.
      resetTimeoutOnProgress: true,
    },
  );
  if (result.isError) throw new Error(result.content[0].text);
} while (result.structuredContent.timed_out);

for (const image of result.structuredContent.generations[0].images) {
  console.log("picture:", image.path ?? image.error.message);
}
// What a model would see: one contact sheet of all pictures.
console.log("images:", result.content.filter((block: any) => block.type === "image").length);
await client.close();
