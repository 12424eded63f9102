import { assertEquals } from "@std/assert";
import { bytes, type Codec } from "../../../lib/codec/codec.ts";
import { json } from "../../../lib/codec/json.ts";
import { TypedConn } from "../../../lib/codec/typed_conn.ts";
import { FramedConn } from "../../../lib/conn/framed_conn.ts";
import { memoryConnPair } from "../../../lib/conn/memory_conn.ts";
import type { MessageConn } from "../../../lib/conn/message_conn.ts";
import { RequestClient } from "../../../lib/rpc/request_client.ts";
import { serveRequests } from "../../../lib/rpc/serve_requests.ts";

type Same<A, B> = (<T>() => T extends A ? 1 : 2) extends (<T>() => T extends B ? 1 : 2) ? true
  : false;
type Item<T> = T extends AsyncIterable<infer Value> ? Value : never;

/** Fails to compile where the two types differ. */
function assertSame<A, B>(_: Same<A, B>): void {}

interface Job {
  id: number;
  note?: string;
}

function parseJob(value: unknown): Job {
  const { id } = value as Job;
  return { id };
}

function conns(): [FramedConn, FramedConn] {
  const [near, far] = memoryConnPair();
  return [new FramedConn(near), new FramedConn(far)];
}

Deno.test("TypedConn has the types of its codec, without annotations", () => {
  const [near, far] = conns();
  using jobs = new TypedConn(near, json(parseJob));
  using raw = new TypedConn(far, bytes);

  assertSame<typeof jobs, TypedConn<Job, Job>>(true);
  assertSame<Awaited<ReturnType<typeof jobs.receive>>, Job | null>(true);
  assertSame<Parameters<typeof jobs.send>[0], Job>(true);
  assertSame<Item<typeof jobs>, Job>(true);
  assertSame<typeof raw, TypedConn<Uint8Array<ArrayBuffer>, Uint8Array>>(true);
  // @ts-expect-error -- a job has an id
  const _withoutId: Parameters<typeof jobs.send>[0] = { note: "x" };
  // @ts-expect-error -- a note that is there is a string, also with exactOptionalPropertyTypes
  const _undefinedNote: Parameters<typeof jobs.send>[0] = { id: 1, note: undefined };
});

Deno.test("TypedConn can receive one type and send another, over any connection that fits", () => {
  const [near, far] = conns();
  using answers = new TypedConn(near, json<boolean, Job>(Boolean));
  const overAny = (conn: MessageConn) => new TypedConn(conn, json(parseJob));
  const withAny = (conn: FramedConn, codec: Codec<Job>) => new TypedConn(conn, codec);
  // @ts-expect-error -- a MessageConn carries texts only
  const _bytesOverAny = (conn: MessageConn) => new TypedConn(conn, bytes);
  // @ts-expect-error -- a guard gives a boolean, and not the job
  const _guard = json<Job>((value): value is Job => value !== null);

  assertSame<typeof answers, TypedConn<boolean, Job>>(true);
  assertSame<ReturnType<typeof overAny>, TypedConn<Job, Job>>(true);
  assertSame<ReturnType<typeof withAny>, TypedConn<Job, Job>>(true);
  far.close();
});

Deno.test("The result of a request is a body or an error", async () => {
  const [near, far] = conns();
  const serving = serveRequests(far, (job) => {
    assertSame<typeof job, Job>(true);
    if (job.id === 0) return { error: { code: "no_job", message: "There is no job 0" } };
    return { body: job };
  }, { validate: parseJob });
  using client = new RequestClient<Job, Job>(near, { validate: parseJob });

  const { body, error } = await client.request({ id: 1 });
  if (error) {
    assertSame<typeof body, undefined>(true);
    assertSame<typeof error.code, string>(true);
  } else {
    assertSame<typeof body, Job>(true);
    assertEquals(body.id, 1);
  }
  // @ts-expect-error -- a request is a job
  const _text = () => client.request("1");

  client.close();
  await serving;
});
