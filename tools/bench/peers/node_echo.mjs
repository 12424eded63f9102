// Echo and broadcast on Node's net module, with texts as a program would have them: parse every frame of a chunk,
// decode it, and send what there is to send in one write. Prints its port; the end of input ends it.
import { createServer } from "node:net";
import { Buffer } from "node:buffer";
import process from "node:process";

const HEADER_BYTES = 4;
const members = new Set();

/** Takes chunks of any size, and gives the texts that they complete. */
function decoder() {
  let parts = [];
  let bytes = 0;
  let needed = HEADER_BYTES;
  return (chunk) => {
    parts.push(chunk);
    bytes += chunk.length;
    if (bytes < needed) return [];
    const buffer = parts.length === 1 ? chunk : Buffer.concat(parts, bytes);
    const texts = [];
    let at = 0;
    for (needed = HEADER_BYTES; buffer.length - at >= HEADER_BYTES;) {
      const frameBytes = HEADER_BYTES + buffer.readUInt32BE(at);
      if (buffer.length - at < frameBytes) {
        needed = frameBytes;
        break;
      }
      texts.push(buffer.toString("utf8", at + HEADER_BYTES, at + frameBytes));
      at += frameBytes;
    }
    const rest = buffer.subarray(at);
    parts = rest.length > 0 ? [rest] : [];
    bytes = rest.length;
    return texts;
  };
}

/** All texts as frames in one buffer. */
function framesOf(texts) {
  const lengths = texts.map((text) => Buffer.byteLength(text));
  const total = lengths.reduce((sum, length) => sum + HEADER_BYTES + length, 0);
  const frames = Buffer.allocUnsafe(total);
  let at = 0;
  texts.forEach((text, i) => {
    at = frames.writeUInt32BE(lengths[i], at);
    at += frames.write(text, at);
  });
  return frames;
}

function echo(socket, frames) {
  if (socket.write(frames)) return;
  socket.pause();
  socket.once("drain", () => socket.resume());
}

/** What a socket sends first comes back to it alone, which is a member then. */
function fan(socket, frames) {
  if (!members.has(socket)) {
    members.add(socket);
    return socket.write(frames);
  }
  for (const member of members) member.write(frames);
}

const answer = process.argv[2] === "fan" ? fan : echo;
const server = createServer({ noDelay: true }, (socket) => {
  const decode = decoder();
  socket.on("close", () => members.delete(socket));
  socket.on("error", () => socket.destroy());
  socket.on("data", (chunk) => {
    const texts = decode(chunk);
    if (texts.length > 0) answer(socket, framesOf(texts));
  });
});
server.listen({ host: "127.0.0.1", port: 0, backlog: 4096 }, () => {
  console.log(server.address().port);
});
process.stdin.resume().on("end", () => process.exit());
