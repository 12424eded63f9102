/**
 * The chat under test. It prints its port and its members' tokens; each line of input is answered with the time its
 * processor has worked; the end of input ends it.
 *
 * @module
 */
import { cpuUsage } from "node:process";
import { serve } from "../../lib/server/server.ts";
import { goodbyeMessage } from "../../servers/members/messages.ts";
import { answerLines } from "./child.ts";
import { openBenchChat } from "./chat_setup.ts";

const [folder = ".", members] = Deno.args;
using chat = await openBenchChat(folder, Number(members));
await using server = serve(chat.handler, { port: 0, maxConnections: 0, goodbye: goodbyeMessage });
console.log(JSON.stringify({ port: server.addr.port, tokens: chat.tokens }));
await answerLines(() => cpuUsage());
