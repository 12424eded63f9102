# Echo on Python's asyncio streams, a text at a time. Prints its port; the end of input ends it.
import asyncio
import os
import struct
import sys
import threading


async def echo(reader, writer):
    try:
        while True:
            (length,) = struct.unpack("!I", await reader.readexactly(4))
            text = (await reader.readexactly(length)).decode()
            body = text.encode()
            writer.write(struct.pack("!I", len(body)) + body)
            await writer.drain()
    except (asyncio.IncompleteReadError, ConnectionError):
        pass  # The peer has finished, or is gone.
    finally:
        writer.close()


def end_with_input():
    sys.stdin.read()
    os._exit(0)


async def main():
    server = await asyncio.start_server(echo, "127.0.0.1", 0, backlog=4096)
    print(server.sockets[0].getsockname()[1], flush=True)
    threading.Thread(target=end_with_input, daemon=True).start()
    await server.serve_forever()


asyncio.run(main())
