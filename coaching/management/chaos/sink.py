"""
A mail server that accepts everything and writes down what: one line a letter, at acceptance,
with its time, Message-ID, reader, and the name that its worker goes by.

    python -m coaching.management.chaos.sink RECORD [BEFORE AFTER]

It prints its port. BEFORE and AFTER are the seconds it takes up to the acceptance, and from
there to the answer. Addresses say how they are to be treated: refused…@ never, later…@ at
the third time, cut…@ accepted with the connection cut instead of an answer, once.
"""

import asyncio
import re
import sys
import time
from collections import Counter
from pathlib import Path

MESSAGE_ID = re.compile(rb"^Message-ID:\s*(<[^>]+>)", re.IGNORECASE | re.MULTILINE)
ADDRESS = re.compile(rb"<([^>]*)>")


class Sink:
    def __init__(self, record: Path, before: float, after: float) -> None:
        self.record = record.open("ab", buffering=0)
        self.before, self.after = before, after
        self.seen: Counter[bytes] = Counter()

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            await self._talk(reader, writer)
        except (ConnectionError, asyncio.IncompleteReadError):
            # Its worker was killed in the middle of a word.
            pass
        finally:
            writer.close()

    async def _talk(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        address = name = b""
        writer.write(b"220 sink\r\n")
        while line := await reader.readline():
            word = line[:4].upper().rstrip()
            if word == b"RCPT":
                address = ADDRESS.search(line).group(1)
                writer.write(self._about(address))
            elif word in (b"EHLO", b"HELO"):
                name = line.split()[1]
                writer.write(b"250 fine\r\n")
            elif word == b"DATA":
                writer.write(b"354 go on\r\n")
                body = await reader.readuntil(b"\r\n.\r\n")
                if not await self._accept(body, address, name):
                    return
                writer.write(b"250 accepted\r\n")
            elif word == b"QUIT":
                writer.write(b"221 bye\r\n")
                return
            else:
                writer.write(b"250 fine\r\n")

    def _about(self, address: bytes) -> bytes:
        self.seen[address] += 1
        if address.startswith(b"refused"):
            return b"550 no such reader\r\n"
        if address.startswith(b"later") and self.seen[address] <= 2:
            return b"451 later\r\n"
        return b"250 fine\r\n"

    async def _accept(self, body: bytes, address: bytes, name: bytes) -> bool:
        """Write the letter down; False when there is to be no answer."""
        if self.before:
            await asyncio.sleep(self.before)
        found = MESSAGE_ID.search(body)
        self.record.write(b"%.4f %s %s %s\n" % (time.time(), found.group(1), address, name))
        if address.startswith(b"cut") and self.seen[address] == 1:
            return False
        if self.after:
            await asyncio.sleep(self.after)
        return True


async def main(record: str, before: float = 0.0, after: float = 0.0) -> None:
    sink = Sink(Path(record), before, after)
    server = await asyncio.start_server(sink.serve, "127.0.0.1", 0, limit=2**24)
    print(server.sockets[0].getsockname()[1], flush=True)
    # Whoever started it lets go of its input when it is not needed any more.
    await asyncio.get_running_loop().run_in_executor(None, sys.stdin.read)
    server.close()


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], *map(float, sys.argv[2:])))
