"""People with XMPP clients, for tests: slixmpp, driven by lines of JSON.

Standard input takes one request a line, standard output gives one answer or event a line. Requests run at the same time, so
their answers come in any order. The program ends with its input. people.ts starts it and has the types of all of this.

request  {"id": 1, "who": "alice", "do": "say", "with": {"to": "bob@localhost", "body": "hello"}}
answer   {"id": 1, "result": {"id": "m1"}}
         {"id": 1, "error": {"condition": "item-not-found", "type": "cancel", "text": "..."}}
event    {"who": "alice", "event": "message" | "presence" | "offline", ...}

`who` is any name; a person exists from `login` on. What can be done, with its parameters (? may be left out):

login      jid, password, host, port, ca, tls?, managed?, accept?, receipts?, presence?   -> {jid}
           tls: from the first byte. managed: XEP-0198. accept: every subscription, and asks back. receipts: answers requests
           (default). presence: sends it (default).
reconnect  after `cut`, with the same options                                             -> {jid, resumed}
logout     says goodbye                                                                   -> null
cut        the connection breaks without a goodbye                                        -> null
say        to, body?, type? (chat), id?, thread?, subject?, receipt?, xml?                -> {id}
           receipt: asks for one. xml: further child elements, as text.
presence   to?, type?, show?, status?, priority?       also subscribe, subscribed, probe  -> null
roster                                                       -> [{jid, name, subscription, ask, groups}]
forget     jid           removes the contact                                              -> null
join       room, nick, password?, history? (lines, 0), configure?                         -> {nick, created, occupants}
           configure: fields {var: value} of the owner's form, where the room is new.
leave      room                                                                           -> null
configure  room, fields                                                                   -> null
affiliate  room, jid, affiliation                                                         -> null
disco      jid, node?                                        -> {identities, features, forms, caps}
items      jid, node?                                        -> [{jid, node, name}]
command    jid, node, action? (execute), session?, fields?                                -> {session, status, actions, notes, form}
vcard      jid                                                                            -> {name, xml}
archive    jid? (own), with?, start?, end?, after?, before?, last?, max?                  -> {complete, first, last, count, messages}
           One page. last: the newest page.
upload     service, name, type, base64                                                    -> {put, get, status}
ping       jid                                                                            -> null
iq         type, to?, xml?        the child element                                       -> {xml}
raw        xml                    sent as it is                                           -> null
"""
import asyncio
import json
import os
import sys

# The library prints to standard output here and there, which is ours.
OUT = os.fdopen(os.dup(1), "w", buffering=1, encoding="utf-8")
os.dup2(2, 1)

from person import Person  # noqa: E402
from stanzas import reason_of  # noqa: E402


def write(line):
    OUT.write(json.dumps(line, ensure_ascii=False) + "\n")


PEOPLE = {}


async def serve(request):
    who, what, values = request["who"], request["do"], request.get("with", {})
    try:
        if what == "login":
            PEOPLE[who] = Person(values, lambda event, more: write({"who": who, "event": event, **more}))
            values = {}
        result = await getattr(PEOPLE[who], "do_" + what)(**values)
        write({"id": request["id"], "result": result})
    except Exception as error:  # whatever it is, the test is to see it
        write({"id": request["id"], "error": reason_of(error)})


async def main():
    loop = asyncio.get_running_loop()
    reader = asyncio.StreamReader(limit=64 * 1024 * 1024)
    await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin)
    running = set()
    while line := await reader.readline():
        task = asyncio.ensure_future(serve(json.loads(line)))
        running.add(task)
        task.add_done_callback(running.discard)


asyncio.run(main())
