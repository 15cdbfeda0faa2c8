"""What stanzas say, as dictionaries for lines of JSON. people.ts has the types."""
import asyncio
from xml.etree import ElementTree as ET

from slixmpp.exceptions import IqTimeout, XMPPError

DATA = "{jabber:x:data}"
MUC_USER = "{http://jabber.org/protocol/muc#user}"


def text_at(xml, path):
    found = xml.find(path)
    return None if found is None else found.text or ""


def attribute_at(xml, path, name):
    found = xml.find(path)
    return None if found is None else found.get(name)


def error_of(xml):
    error = xml.find("{jabber:client}error")
    if error is None:
        return None
    names = [child.tag.split("}")[1] for child in error if not child.tag.endswith("}text")]
    said = [child.text for child in error if child.tag.endswith("}text")]
    return {"type": error.get("type"), "condition": names[0] if names else None, "text": said[0] if said else None}


def form_of(xml):
    form = xml if xml.tag == DATA + "x" else xml.find(f".//{DATA}x")
    if form is None:
        return None
    return {
        "type": form.get("type"),
        "title": text_at(form, DATA + "title"),
        "instructions": text_at(form, DATA + "instructions"),
        "fields": [field_of(field) for field in form.findall(DATA + "field")],
    }


def field_of(field):
    options = field.findall(DATA + "option")
    return {
        "var": field.get("var"),
        "type": field.get("type"),
        "label": field.get("label"),
        "required": field.find(DATA + "required") is not None,
        "values": [value.text or "" for value in field.findall(DATA + "value")],
        "options": [{"label": option.get("label"), "value": text_at(option, DATA + "value")} for option in options],
    }


def submission(fields, form_type=None):
    form = ET.Element(DATA + "x", {"type": "submit"})
    if form_type is not None:
        fields = {"FORM_TYPE": form_type, **fields}
    for name, value in fields.items():
        field = ET.SubElement(form, DATA + "field", {"var": name})
        for each in value if isinstance(value, list) else [value]:
            ET.SubElement(field, DATA + "value").text = {True: "1", False: "0"}.get(each, str(each))
    return form


def message_of(stanza):
    xml = stanza.xml
    return {
        "from": xml.get("from"),
        "to": xml.get("to"),
        "type": xml.get("type", "normal"),
        "id": xml.get("id"),
        "body": text_at(xml, "{jabber:client}body"),
        "subject": text_at(xml, "{jabber:client}subject"),
        "thread": text_at(xml, "{jabber:client}thread"),
        "delay": attribute_at(xml, "{urn:xmpp:delay}delay", "stamp"),
        "originId": attribute_at(xml, "{urn:xmpp:sid:0}origin-id", "id"),
        "stanzaIds": [{"by": one.get("by"), "id": one.get("id")} for one in xml.findall("{urn:xmpp:sid:0}stanza-id")],
        "receipt": attribute_at(xml, "{urn:xmpp:receipts}received", "id"),
        "wantsReceipt": xml.find("{urn:xmpp:receipts}request") is not None,
        "url": text_at(xml, "{jabber:x:oob}x/{jabber:x:oob}url"),
        "error": error_of(xml),
        "xml": str(stanza),
    }


def presence_of(stanza):
    xml = stanza.xml
    room = xml.find(MUC_USER + "x")
    return {
        "from": xml.get("from"),
        "type": xml.get("type", "available"),
        "show": text_at(xml, "{jabber:client}show"),
        "status": text_at(xml, "{jabber:client}status"),
        "priority": int(text_at(xml, "{jabber:client}priority") or 0),
        "delay": attribute_at(xml, "{urn:xmpp:delay}delay", "stamp"),
        "occupant": None if room is None else occupant_of(room),
        "error": error_of(xml),
        "xml": str(stanza),
    }


def occupant_of(room):
    item = room.find(MUC_USER + "item")
    given = {} if item is None else item
    codes = sorted(int(status.get("code")) for status in room.findall(MUC_USER + "status"))
    return {**{name: given.get(name) for name in ("affiliation", "role", "jid", "nick")}, "codes": codes}


def child(xml):
    return ET.fromstring(f"<x xmlns='jabber:client'>{xml}</x>")


class Refused(Exception):
    """An error that a stanza carried, as `error_of` gives it."""

    def __init__(self, error):
        super().__init__(error["condition"])
        self.error = error


def reason_of(error):
    if isinstance(error, Refused):
        return error.error
    if isinstance(error, (IqTimeout, asyncio.TimeoutError)):
        return {"condition": "timeout", "type": None, "text": "no answer"}
    if isinstance(error, XMPPError):
        return {"condition": error.condition, "type": error.etype, "text": error.text}
    return {"condition": "failed", "type": None, "text": f"{type(error).__name__}: {error}"}
