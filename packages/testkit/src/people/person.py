"""What a person at an XMPP client does, with slixmpp. people.py has the protocol."""
import asyncio
import base64
import logging
import urllib.error
import urllib.request
from xml.etree import ElementTree as ET

import slixmpp
from slixmpp.xmlstream.handler import Callback
from slixmpp.xmlstream.matcher import MatchXPath

from stanzas import DATA, Refused, attribute_at, child, form_of, message_of, presence_of, submission, text_at

logging.getLogger("slixmpp").setLevel(logging.CRITICAL)

PLUGINS = ("0004", "0030", "0045", "0050", "0054", "0059", "0115", "0184", "0199", "0203", "0313")
TIMEOUT = 20  # seconds for an answer of a server or a client


class Person(slixmpp.ClientXMPP):
    """One client of one account, from `login` to `logout`. `tell(event, values)` hears what happens to it."""

    def __init__(self, options, tell):
        super().__init__(options["jid"], options["password"])
        self.options, self.tell = options, tell
        self.ca_certs = options["ca"]
        self.auto_authorize = True if options.get("accept") else None
        self.auto_subscribe = bool(options.get("accept"))
        self.pages = {}  # of archives that were asked for, by query
        self.refusals = {}  # answers to a join, by room
        for number in PLUGINS + (("0198",) if options.get("managed") else ()):
            self.register_plugin("xep_" + number)
        self["xep_0184"].auto_ack = options.get("receipts", True)
        for name, take in (("message", self.on_message), ("presence", self.on_presence)):
            self.register_handler(Callback("every " + name, MatchXPath("{jabber:client}" + name), take))
        self.add_event_handler("disconnected", lambda why: self.tell("offline", {"reason": str(why or "")}))
        self.ready = None
        self.add_event_handler("session_start", self.on_start)
        self.add_event_handler("session_resumed", lambda _: self.settle({"jid": str(self.boundjid), "resumed": True}))
        for name in ("failed_all_auth", "connection_failed", "disconnected", "stream_error", "ssl_invalid_chain"):
            self.add_event_handler(name, lambda why, name=name: self.settle(RuntimeError(f"{name}: {why}")))

    def settle(self, outcome):
        if self.ready is None or self.ready.done():
            return
        if isinstance(outcome, Exception):
            self.cancel_connection_attempt()
            self.ready.set_exception(outcome)
        else:
            self.ready.set_result(outcome)

    async def on_start(self, _):
        if self.options.get("presence", True):
            self.send_presence()
            await self.get_roster()
        self.settle({"jid": str(self.boundjid), "resumed": False})

    def on_message(self, stanza):
        result = stanza.xml.find("{urn:xmpp:mam:2}result")
        if result is None:
            self.tell("message", message_of(stanza))
        elif result.get("queryid") in self.pages:
            self.pages[result.get("queryid")].append(result)

    def on_presence(self, stanza):
        presence = presence_of(stanza)
        self.tell("presence", presence)
        # The library overlooks a refusal that does not repeat what was asked, such as Prosody's.
        refused = self.refusals.pop(stanza["from"].bare, None) if presence["error"] else None
        if refused is not None and not refused.done():
            refused.set_result(presence["error"])

    # What can be asked of a person; the names are those of the protocol.

    async def do_login(self):
        self.ready = asyncio.get_running_loop().create_future()
        options = self.options
        tls = options.get("tls", False)
        self.connect((options["host"], options["port"]), use_ssl=tls, force_starttls=not tls)
        return await asyncio.wait_for(self.ready, TIMEOUT)

    do_reconnect = do_login

    async def do_logout(self):
        await self.disconnect(wait=2)

    async def do_cut(self):
        self.transport.abort()

    async def do_say(self, to, body=None, type="chat", id=None, thread=None, subject=None, receipt=False, xml=None):
        message = self.make_message(mto=to, mbody=body, msubject=subject, mtype=type)
        message["id"] = id or self.new_id()
        if thread is not None:
            message["thread"] = thread
        if receipt:
            message["request_receipt"] = True
        for element in child(xml or ""):
            message.append(element)
        message.send()
        return {"id": message["id"]}

    async def do_presence(self, to=None, type=None, show=None, status=None, priority=None):
        self.send_presence(pto=to, ptype=type, pshow=show, pstatus=status, ppriority=priority)

    async def do_roster(self):
        iq = self.make_iq_get(queryxmlns="jabber:iq:roster")  # all of it; the library asks for what is new
        items = (await iq.send(timeout=TIMEOUT)).xml.findall("{jabber:iq:roster}query/{jabber:iq:roster}item")
        groups = "{jabber:iq:roster}group"
        names = ("jid", "name", "subscription", "ask")
        return [{**{name: item.get(name) for name in names}, "groups": [g.text for g in item.findall(groups)]}
                for item in items]

    async def do_forget(self, jid):
        await self.update_roster(jid, subscription="remove", timeout=TIMEOUT)

    async def do_join(self, room, nick, password=None, history=0, configure=None):
        muc = self["xep_0045"]
        joined = asyncio.ensure_future(
            muc.join_muc_wait(room, nick, password=password, maxstanzas=history, timeout=TIMEOUT)
        )
        refused = self.refusals[room] = asyncio.get_running_loop().create_future()
        await asyncio.wait({joined, refused}, return_when=asyncio.FIRST_COMPLETED)
        if not joined.done():
            joined.cancel()
            raise Refused(refused.result())
        own, _, occupants, _ = joined.result()
        created = 201 in own["muc"]["status_codes"]
        if created:
            # A new room may be closed to others until its owner has said how it should be (XEP-0045 section 10.1).
            await self.do_configure(room, configure or {})
        nicks = [seen["from"].resource for seen in occupants]
        return {"nick": own["from"].resource, "created": created, "occupants": nicks}

    async def do_leave(self, room):
        self["xep_0045"].leave_muc(room, self["xep_0045"].our_nicks[room])

    async def do_configure(self, room, fields):
        iq = self.make_iq_set(ito=room)
        query = ET.Element("{http://jabber.org/protocol/muc#owner}query")
        query.append(submission(fields, "http://jabber.org/protocol/muc#roomconfig"))
        iq.append(query)
        await iq.send(timeout=TIMEOUT)

    async def do_affiliate(self, room, jid, affiliation):
        await self["xep_0045"].set_affiliation(room, affiliation, jid=jid, timeout=TIMEOUT)

    async def do_disco(self, jid, node=None):
        info = (await self["xep_0030"].get_info(jid=jid, node=node, cached=False, timeout=TIMEOUT))["disco_info"]
        identities = [dict(zip(("category", "type", "lang", "name"), one)) for one in info["identities"]]
        forms = [form_of(form) for form in info.xml.findall(DATA + "x")]
        caps = self["xep_0115"].generate_verstring(info, "sha-1")
        return {"identities": identities, "features": sorted(info["features"]), "forms": forms, "caps": caps}

    async def do_items(self, jid, node=None):
        found = await self["xep_0030"].get_items(jid=jid, node=node, timeout=TIMEOUT)
        return [{"jid": str(one[0]), "node": one[1], "name": one[2]} for one in found["disco_items"]["items"]]

    async def do_command(self, jid, node, action="execute", session=None, fields=None):
        payload = None if fields is None else [self["xep_0004"].stanza.Form(xml=submission(fields))]
        iq = await self["xep_0050"].send_command(
            jid, node, action=action, sessionid=session, payload=payload, timeout=TIMEOUT
        )
        command = iq["command"]
        return {
            "session": command["sessionid"],
            "status": command["status"],
            "actions": sorted(command["actions"]),
            "notes": [{"type": kind, "text": text} for kind, text in command["notes"]],
            "form": form_of(command.xml),
        }

    async def do_vcard(self, jid):
        iq = await self["xep_0054"].get_vcard(jid=jid, cached=False, timeout=TIMEOUT)
        return {"name": iq["vcard_temp"]["FN"], "xml": str(iq)}

    async def do_archive(self, jid=None, start=None, end=None, after=None, before=None, last=False, max=None, **more):
        iq = self.make_iq_set(ito=jid)
        query = iq["id"]
        iq["mam"]["queryid"] = query
        for name, value in (("start", start), ("end", end), ("with", more.get("with"))):
            if value is not None:
                iq["mam"][name] = value
        for name, value in (("after", after), ("before", True if last else before), ("max", max)):
            if value is not None:
                iq["mam"]["rsm"][name] = value if value is True else str(value)
        self.pages[query] = []
        try:
            fin = (await iq.send(timeout=TIMEOUT)).xml.find("{urn:xmpp:mam:2}fin")
        finally:
            results = self.pages.pop(query)
        rsm = "{http://jabber.org/protocol/rsm}"
        found = {name: text_at(fin, f"{rsm}set/{rsm}{name}") for name in ("first", "last", "count")}
        return {**found, "complete": fin.get("complete") == "true", "messages": [self.archived(one) for one in results]}

    def archived(self, result):
        forwarded = result.find("{urn:xmpp:forward:0}forwarded")
        message = self.Message(xml=forwarded.find("{jabber:client}message"))
        stamp = attribute_at(forwarded, "{urn:xmpp:delay}delay", "stamp")
        return {**message_of(message), "archiveId": result.get("id"), "stamp": stamp}

    async def do_upload(self, service, name, type, **more):
        content = base64.b64decode(more["base64"])
        iq = self.make_iq_get(ito=service)
        upload = "{urn:xmpp:http:upload:0}"
        wanted = {"filename": name, "size": str(len(content)), "content-type": type}
        iq.append(ET.Element(upload + "request", wanted))
        slot = (await iq.send(timeout=TIMEOUT)).xml.find(upload + "slot")
        put, get = slot.find(upload + "put"), slot.find(upload + "get")
        headers = {header.get("name"): header.text for header in put.findall(upload + "header")}
        request = urllib.request.Request(put.get("url"), content, {"Content-Type": type, **headers}, method="PUT")
        status = await asyncio.get_running_loop().run_in_executor(None, status_of, request)
        return {"put": put.get("url"), "get": get.get("url"), "status": status}

    async def do_ping(self, jid):
        await self["xep_0199"].send_ping(jid, timeout=TIMEOUT)

    async def do_iq(self, type, to=None, xml=None):
        iq = self.make_iq_get(ito=to) if type == "get" else self.make_iq_set(ito=to)
        for element in child(xml or ""):
            iq.append(element)
        return {"xml": str(await iq.send(timeout=TIMEOUT))}

    async def do_raw(self, xml):
        self.send_raw(xml)


def status_of(request):
    try:
        with urllib.request.urlopen(request, timeout=TIMEOUT) as answer:
            return answer.status
    except urllib.error.HTTPError as error:
        return error.code
