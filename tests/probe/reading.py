"""A reader of rings that shares nothing with the writer but the layout."""

import os
from binascii import crc32
from dataclasses import dataclass
from pathlib import Path

from dynoscope_probe import layout


@dataclass(frozen=True)
class RingRead:
    """One ring: header, counters, texts by id, whole records and details by seq, busy slots, torn
    records and details."""

    header: dict
    counters: dict
    texts: dict
    records: list
    in_flight: list
    torn: int
    spans: list
    function_costs: list

    def text(self, string_id):
        return self.texts.get(string_id, "")

    def endpoints(self):
        return [self.text(record["endpoint_id"]) for record in self.records]


def read_rings(folder):
    """Every ring of a folder, in order of creation."""
    rings = [read_ring(path) for path in Path(folder).glob("*.ring")]
    return sorted(rings, key=lambda ring: ring.header["created_ns"])


def records_in(folder):
    """(endpoint, record) of every ring, in order of time."""
    found = [
        (ring.text(record["endpoint_id"]), record)
        for ring in read_rings(folder)
        for record in ring.records
    ]
    return sorted(found, key=lambda pair: pair[1]["started_ns"])


def read_ring(path):
    data = Path(path).read_bytes()
    packed = data[: layout.HEADER.size]
    assert crc32(packed) == int.from_bytes(data[layout.HEADER.size :][:4], "little")
    header = dict(zip(layout.HEADER_FIELDS, layout.HEADER.unpack(packed), strict=True))
    assert os.path.basename(path) == f"{header['pid']}-{header['ring_id']:016x}.ring"
    values = layout.COUNTERS.unpack_from(data, layout.COUNTERS_OFFSET)
    counters = dict(zip(layout.COUNTER_NAMES, values, strict=True))
    records, torn = _records(data, header)
    texts = _texts(data, header["strings_offset"], counters["strings_used"])
    details, torn_details = _details(data, header)
    spans = _fields(details, layout.DETAIL_SPAN, layout.SPAN, layout.SPAN_FIELDS)
    costs = _fields(
        details, layout.DETAIL_FUNCTION_COST, layout.FUNCTION_COST, layout.FUNCTION_COST_FIELDS
    )
    in_flight, torn = _in_flight(data, header), torn + torn_details
    return RingRead(header, counters, texts, records, in_flight, torn, spans, costs)


def spans_in(folder):
    """(kind, name, span) of every ring, in order of time."""
    found = [
        (layout.SPAN_KINDS[span["kind"]], ring.text(span["name_id"]), span)
        for ring in read_rings(folder)
        for span in ring.spans
    ]
    return sorted(found, key=lambda found: (found[2]["started_ns"], -found[2]["wall_ns"]))


def _texts(data, start, used):
    texts, at = {}, start
    while at < start + used:
        crc, length = layout.STRING_PREFIX.unpack_from(data, at)
        at += layout.STRING_PREFIX.size
        assert crc32(data[at : at + length]) == crc
        texts[len(texts) + 1] = data[at : at + length].decode()
        at += length
    return texts


def _records(data, header):
    records, torn = [], 0
    for number in range(header["record_count"]):
        at = header["records_offset"] + number * layout.RECORD_BYTES
        seq, crc = layout.RECORD_PREFIX.unpack_from(data, at)
        if seq == 0:
            continue
        assert seq % header["record_count"] == number
        body = data[at + layout.RECORD_PREFIX.size :][: layout.RECORD.size]
        if crc32(body) != crc:
            torn += 1
            continue
        record = dict(zip(layout.RECORD_FIELDS, layout.RECORD.unpack(body), strict=True))
        records.append({"seq": seq, **record})
    return sorted(records, key=lambda record: record["seq"]), torn


def _details(data, header):
    bodies, torn = [], 0
    for number in range(header["details_count"]):
        at = header["details_offset"] + number * layout.DETAIL_BYTES
        seq, crc = layout.DETAIL_PREFIX.unpack_from(data, at)
        if seq == 0:
            continue
        assert seq % header["details_count"] == number
        body = data[at + layout.DETAIL_PREFIX.size :][: layout.DETAIL_BODY_BYTES]
        if crc32(body) != crc:
            torn += 1
            continue
        bodies.append((seq, body))
    return sorted(bodies), torn


def _fields(details, kind, struct, names):
    return [
        {"seq": seq, **dict(zip(names, struct.unpack(body), strict=True))}
        for seq, body in details
        if body[0] == kind
    ]


def _in_flight(data, header):
    found = []
    for number in range(header["slot_count"]):
        at = header["slots_offset"] + number * layout.SLOT_BYTES
        slot = dict(zip(layout.SLOT_FIELDS, layout.SLOT.unpack_from(data, at), strict=True))
        if slot["busy"]:
            found.append(slot)
    return found
