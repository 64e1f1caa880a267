"""
What `manage.py chaos` is made of: real workers that are killed, and a mail server that counts.

- `sink`: a mail server that writes down the Message-ID of what it accepts
- `nursery`: a process that starts workers at once, by forking
- `world`: what the workers work on, and what has become of it
- `stage`: the mail server, the workers and how much of everything, for one experiment
- `items`: the experiments on letters, R1 to R11 of docs/letters.md
- `broker`: R4, with a Redis, a beat and a worker of its own
- `races`: D1 and D3, what people and sweeps do at the same moment
"""
