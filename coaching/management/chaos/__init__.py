"""
What `manage.py chaos` is made of: real workers that are killed, and a mail server that counts.

- `sink`: a mail server that writes down the Message-ID of what it accepts
- `nursery`: a process that starts workers at once, by forking
- `world`: what the workers work on, and what has become of it
- `items`: the experiments, R1 to R11 of docs/letters.md
"""
