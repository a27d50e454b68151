// Darkroom with the Vercel AI SDK. The model: OPENAI_API_KEY, perhaps OPENAI_BASE_URL and MODEL.
import { createMCPClient } from "@ai-sdk/mcp";
import { Experimental_StdioMCPTransport as StdioTransport } from "@ai-sdk/mcp/mcp-stdio";
import { openai } from "@ai-sdk/openai";
import { generateText, isStepCount } from "ai";

// The server gets little more than PATH, HOME and what stands in `env`, for example { FATTHUMB_API_KEY: "…" }.
const server = new StdioTransport({ command: "darkroom-mcp", args: ["serve"], env: {} });
const client = await createMCPClient({ transport: server });
const tools: any = await client.tools();

// This SDK hands on no progress: so ask while the model's wait goes on, which costs nothing.
const wait = tools.wait.execute;
tools.wait.execute = async (input: any, options: any) => {
  const show = async () => {
    for (const generation_id of input.generation_ids) {
      const now: any = await client.callTool({ name: "get_status", arguments: { generation_id } });
      console.log("progress:", now.structuredContent?.progress.message ?? now.content[0].text);
    }
  };
  await show();
  const timer = setInterval(() => show().catch(console.error), 2000);
  return wait(input, options).finally(() => clearInterval(timer));
};

try {
  const { text } = await generateText({
    // The Responses API, where the model sees pictures in tool results; in Chat Completions they are pasted as text.
    model: openai.responses(process.env.MODEL ?? "gpt-5"),
    instructions: "Make pictures with the tools. At the end say where they are saved.",
    prompt: "Draw a lighthouse keeper reading by lamplight, with sketch.",
    tools,
    stopWhen: isStepCount(10),
  });
  console.log(text);
} finally {
  await client.close();
}
