"""Run Milvus in this network namespace, and answer for it on a listening socket from outside.

python milvus_serve.py FD FOLDER, by the Python that has the package `milvus`, until its standard
input ends, as it does when the parent dies. Milvus 2.3.5 binds on every interface and has no
setting for that; in a namespace of its own there is only loopback.
"""

import asyncio
import contextlib
import socket
import subprocess
import sys

from milvus import MilvusServer


async def main(listener: socket.socket, folder: str) -> None:
    subprocess.run(["ip", "link", "set", "lo", "up"], check=True)
    server = MilvusServer(debug=False)
    server.set_base_dir(folder)
    server.listen_port = 19530
    # On a busy machine it misses its own heartbeats for half a minute, and then ends itself.
    server.config.set("common.session.ttl", 600)
    server.start()

    async def copy(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(ConnectionError):
            while data := await reader.read(1 << 16):
                writer.write(data)
                await writer.drain()
        writer.close()

    async def join(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        inner_reader, inner_writer = await asyncio.open_connection("127.0.0.1", server.listen_port)
        await asyncio.gather(copy(reader, inner_writer), copy(inner_reader, writer))

    outside = await asyncio.start_server(join, sock=listener)
    print("ready", flush=True)
    await asyncio.to_thread(sys.stdin.read)
    outside.close()
    server.stop()


asyncio.run(main(socket.socket(fileno=int(sys.argv[1])), sys.argv[2]))
