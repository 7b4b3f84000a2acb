"""Reads assembled traces from Kafka and prints each as a tree, without any code of Spanloom.

    pip install -r examples/requirements.txt
    python examples/consume-traces.py --bootstrap 127.0.0.1:9092 --from-beginning

What it shows:
* Traces are Avro in Confluent's framing: a zero byte, the schema's id as four bytes big-endian, then the body.
  schemas/ids.json says which id is which schema; with a schema registry, any Avro deserializer does this by itself.
* The spans are in the field `otlp`, as an encoded OTLP ExportTraceServiceRequest.
* isolation.level=read_committed: the services write in transactions. A consumer that reads uncommitted records sees
  those of aborted transactions too, so some traces twice.
* One trace can come in several records: revision 2 holds spans that arrived after revision 1 was closed.
"""

import argparse
import io
import json
import struct
from pathlib import Path

import fastavro
from confluent_kafka import Consumer
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

SCHEMAS = Path(__file__).resolve().parent.parent / "schemas"
SCHEMA = fastavro.parse_schema(json.loads((SCHEMAS / "assembled-trace.avsc").read_text()))
SCHEMA_ID = json.loads((SCHEMAS / "ids.json").read_text())["AssembledTrace"]
STATUS_ERROR = 2


def main() -> None:
    options = arguments()
    consumer = Consumer(
        {
            "bootstrap.servers": options.bootstrap,
            "group.id": options.group,
            "isolation.level": "read_committed",
            "auto.offset.reset": "earliest" if options.from_beginning else "latest",
            "enable.auto.commit": not options.exit_at_end,
            "enable.partition.eof": options.exit_at_end,
        }
    )
    consumer.subscribe([options.topic])
    at_end: set[int] = set()
    try:
        while True:
            message = consumer.poll(1.0)
            if message is None:
                continue
            if message.error():
                if message.error().code() != END_OF_PARTITION:
                    raise SystemExit(f"Kafka: {message.error()}")
                at_end.add(message.partition())
                if len(at_end) == partition_count(consumer, options.topic):
                    return
                continue
            print_trace(decode(message.value()))
    except KeyboardInterrupt:
        pass
    finally:
        consumer.close()


def decode(framed: bytes) -> dict:
    zero, schema_id = struct.unpack(">bI", framed[:5])
    if zero != 0 or schema_id != SCHEMA_ID:
        raise ValueError(f"not an AssembledTrace: frame {framed[:5].hex()}")
    return fastavro.schemaless_reader(io.BytesIO(framed[5:]), SCHEMA)


def print_trace(trace: dict) -> None:
    if trace["spanCount"] == 0:
        return  # a revision that held only copies of spans already delivered
    request = ExportTraceServiceRequest.FromString(trace["otlp"])
    spans = [
        (span, service_name(resource_spans.resource))
        for resource_spans in request.resource_spans
        for scope_spans in resource_spans.scope_spans
        for span in scope_spans.spans
    ]
    root = f"{trace['rootService']} {trace['rootOperation']}" if trace["rootSpanId"] else "(root not seen)"
    state = "complete" if trace["complete"] else ", ".join(trace["incompleteReasons"])
    print(f"{trace['traceId']}  {root}  {trace['durationNano'] / 1e6:.1f} ms  {state}, revision {trace['revision']}")

    known = {span.span_id for span, _ in spans}
    children: dict[bytes, list] = {}
    for span, service in spans:
        parent = span.parent_span_id if span.parent_span_id in known else b""
        children.setdefault(parent, []).append((span, service))

    def print_level(parent: bytes, depth: int) -> None:
        for span, service in sorted(children.get(parent, []), key=lambda item: item[0].start_time_unix_nano):
            milliseconds = (span.end_time_unix_nano - span.start_time_unix_nano) / 1e6
            failed = "  ERROR " + span.status.message if span.status.code == STATUS_ERROR else ""
            print(f"{'  ' * (depth + 1)}{service}  {span.name}  {milliseconds:.1f} ms{failed}")
            print_level(span.span_id, depth + 1)

    print_level(b"", 0)


def service_name(resource) -> str:
    return next((a.value.string_value for a in resource.attributes if a.key == "service.name"), "unknown_service")


def partition_count(consumer: Consumer, topic: str) -> int:
    return len(consumer.list_topics(topic, timeout=10).topics[topic].partitions)


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Prints assembled traces as trees.")
    parser.add_argument("--bootstrap", default="127.0.0.1:9092", metavar="HOST:PORT")
    parser.add_argument("--topic", default="spanloom.traces")
    parser.add_argument("--group", default="example-consume-traces", help="consumer group; a position of its own")
    parser.add_argument("--from-beginning", action="store_true", help="begin with the oldest trace kept")
    parser.add_argument("--exit-at-end", action="store_true", help="stop at the end instead of waiting for more")
    return parser.parse_args()


END_OF_PARTITION = -191


if __name__ == "__main__":
    main()
