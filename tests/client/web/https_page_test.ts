import { assertEquals } from "@std/assert";
import { ServerProcess } from "../../../tools/shared/server_process.ts";
import { certificate, withOpenssl } from "../../support/certificate.ts";
import { browserTest } from "../../support/chromium.ts";
import { joinAs, say, showsTexts } from "./browsing.ts";

const NAME = "The chat page of a server with a certificate";

const STEPS: Parameters<typeof browserTest>[1] = {
  "loads over https, logs in and talks over wss": async (browser) => {
    const data = await Deno.makeTempDir();
    const { cert, key } = await certificate();
    await Deno.writeTextFile(`${data}/cert.pem`, cert);
    await Deno.writeTextFile(`${data}/key.pem`, key, { mode: 0o600 });
    const flags = [`--cert=${data}/cert.pem`, `--key=${data}/key.pem`];
    try {
      await using server = await ServerProcess.start("chat", flags, { data });
      const url = `https://127.0.0.1:${server.port}/`;

      const anna = await joinAs(browser, "Anna", url);
      const boris = await joinAs(browser, "Boris", url);
      await say(anna, "over TLS");
      await showsTexts(boris, ["over TLS"]);

      const schemes = new Set(anna.requests.map((url) => new URL(url).protocol));
      assertEquals([...schemes].sort(), ["https:", "wss:"]);
      assertEquals(await anna.evaluate("isSecureContext"), true);
      assertEquals(anna.problems, []);
    } finally {
      await Deno.remove(data, { recursive: true });
    }
  },
};

withOpenssl(NAME, () => browserTest(NAME, STEPS));
