/**
 * Every code of a SpanloomError and of a dead letter, with what a person does about it; docs/errors.md is made from
 * this list, and a test holds it to the sources.
 */
export const ERROR_CODES: Readonly<Record<string, ErrorCode>> = {
  ADDRESS_REFUSED: {
    meaning: 'What a setting names is at a loopback, private or other special address, which is not allowed.',
    remedy: 'If that is meant, allow the address: NOTIFY_ALLOW_ADDRESSES for sinks of incidents.',
  },
  ALERTER_STATE_UNREADABLE: {
    meaning: "The alerter's claim on its state topic did not come back to it.",
    remedy: 'It tries again. If it stays, look at the health of the partition leader of the alerter-state topic.',
  },
  ARCHIVE_CACHE_TOO_SMALL: {
    meaning: 'The objects of the asked hours do not fit into the local cache.',
    remedy: 'Ask for fewer hours with --since and --until, or raise --cache-bytes.',
  },
  ARCHIVE_CHAIN_BROKEN: {
    meaning: "An entry of the archive's chain cannot be read, or does not begin where the one before it ends.",
    remedy: 'Somebody changed objects below _chain/. Restore the object named; entries are never edited.',
  },
  ARCHIVE_COMPACTION_WRONG: {
    meaning: 'What a compaction had merged does not hold the rows of its sources. Nothing was written.',
    remedy: 'A defect; please report it. Readers go on with the sources.',
  },
  ARCHIVE_DISK_FULL: {
    meaning: 'A command of the archive found no room for its local files. The bucket is as it was.',
    remedy: 'Free some, or name another folder: --cache-folder for copies of objects, TMPDIR for compact and verify.',
  },
  ARCHIVE_LOG_CHANGED: {
    meaning: 'The traces topic ends before the position of the archiver.',
    remedy: 'The archiver opens its chain again and begins a new generation if the topic is another one.',
  },
  ARCHIVE_MANIFEST_BROKEN: {
    meaning: 'A manifest of a compaction of the archive cannot be read.',
    remedy: 'Somebody changed it: restore the object named. Until then readers use what it was made of.',
  },
  ARCHIVE_PROMOTED_UNKNOWN: {
    meaning: 'An entry of the chain or a manifest names attributes in a way that this program does not know.',
    remedy: 'A newer version wrote it; run that one.',
  },
  ARCHIVE_SQL_REFUSED: {
    meaning: 'DuckDB does not take the SQL, or fails over it.',
    remedy: "The sentence is DuckDB's. `spanloom sql 'DESCRIBE spans'` lists the columns.",
  },
  AUDIT_PARTITIONS: {
    meaning: 'Topics of the pipeline have different counts of partitions, so traces are not where they are looked for.',
    remedy:
      'Somebody enlarged one. Partitions cannot be taken away: set the pipeline up under another SPANLOOM_PREFIX.',
  },
  AUDIT_TOO_LARGE: {
    meaning: 'What is retained needs more keys in memory than the audit may hold, even in its smallest parts.',
    remedy: 'Raise --keys-max (about 100 bytes a key), or audit less with --from and --to.',
  },
  AVRO_DECODE: {
    meaning: 'Bytes do not fit the Avro schema that they should be of.',
    remedy: 'In a topic of ours: something else writes there. Find it by the dead letter.',
  },
  AVRO_ENCODE: { meaning: 'A value does not fit its Avro schema.', remedy: 'A defect; please report it.' },
  COLLECTOR_PORT: {
    meaning: 'A port of the collector cannot be listened on.',
    remedy: 'Another process has it, or the address is not of this machine: choose another COLLECTOR_…_PORT, or 0.',
  },
  CONFIG_INVALID: {
    meaning: 'Settings, or what they name, cannot be used. All mistakes are listed.',
    remedy: 'Correct them; docs/config.md says what each may be. The exit code is 78.',
  },
  CONSOLE_PORT_TAKEN: {
    meaning: 'The console cannot listen on CONSOLE_HOST and CONSOLE_PORT.',
    remedy: 'Choose another port, or 0 for a free one; `ss -ltnp` shows who has it.',
  },
  CONSOLE_STORE: {
    meaning: 'A file below CONSOLE_DATA_DIR is in use, of a later version, or no database.',
    remedy:
      'Give each console its own folder. A file that is damaged can be moved away: all but people.db is filled again from Kafka.',
  },
  DRAIN_TIMEOUT: {
    meaning: 'The service did not finish within the time that a stop may take.',
    remedy: 'Nothing is lost: the next owner goes on from the last commit. If it happens often, a server is slow.',
  },
  EDGES_FOREIGN_RECORD: {
    meaning: 'Dead letter: a record of the service-edges topic that no graph-builder wrote.',
    remedy: 'Find who writes there, and take away the right to.',
  },
  INPUT_TRUNCATED: {
    meaning: 'A topic was deleted and made anew, or a partition lost records that were read already.',
    remedy: "Find out what happened. Then delete the worker's keys from the ledger topic, to begin anew.",
  },
  FORWARD_REFUSED: {
    meaning: 'Dead letter: a destination of the forwarder answered that it will not take a trace.',
    remedy: 'The detail has its answer. The trace is in the archive; the traces around it were delivered.',
  },
  FORWARD_TOO_OLD: {
    meaning: 'Dead letter: a destination of the forwarder was down for longer than its deadLetterAfterMs.',
    remedy:
      'Look at why it did not answer. The traces are in the archive, and on the traces topic while it keeps them.',
  },
  INTERRUPTED: { meaning: 'Stopped by a signal before everything was up.', remedy: 'Nothing.' },
  KAFKA_BATCH_UNDECODABLE: {
    meaning: 'A record batch is damaged, of an unknown format, or grows beyond KAFKA_DECOMPRESSED_BYTES_MAX.',
    remedy:
      'On ingest topics it is passed and becomes a dead letter. On ours it halts the partition: look at the disk.',
  },
  KAFKA_FENCED: {
    meaning: 'A newer owner of the partition has taken over.',
    remedy: 'Nothing, unless it never ends: then two deployments share one SPANLOOM_PREFIX.',
  },
  KAFKA_NOT_ALLOWED: {
    meaning: 'Kafka refuses the login or the right to do this.',
    remedy: 'Check KAFKA_SASL_… and the ACLs for topics, groups and transactional ids that begin with SPANLOOM_PREFIX.',
  },
  KAFKA_OAUTH_TOKEN: {
    meaning: 'No OAuth token could be had for Kafka.',
    remedy: 'Check KAFKA_OAUTH_…; the sentence says what the authority answered.',
  },
  KAFKA_OFFSET_GONE: {
    meaning: 'The offset asked for is below the start or above the end of the log.',
    remedy: 'Handled where it happens: a gap is reported with its exact size.',
  },
  KAFKA_RECORD_TOO_LARGE: {
    meaning: 'A batch is larger than the topic takes.',
    remedy: "Raise the topic's max.message.bytes to 4 MiB, as it was created with.",
  },
  KAFKA_REQUEST_FAILED: {
    meaning: 'Kafka answered a request with an error.',
    remedy: 'Retryable ones are tried again; else the sentence names the error.',
  },
  KAFKA_TOPIC_MISSING: {
    meaning: 'A topic does not exist.',
    remedy: 'Create it, or run `spanloom topics create`.',
  },
  KAFKA_TOPIC_RECREATED: {
    meaning: 'A topic was deleted and made anew while it was read.',
    remedy:
      'The reader looks whether it may go on: see INPUT_TRUNCATED for partitions that stand still, and ARCHIVE_LOG_CHANGED.',
  },
  KAFKA_UNREACHABLE: {
    meaning: 'No broker answers.',
    remedy: 'It tries again with growing pauses. Check KAFKA_BROKERS, and KAFKA_TLS if brokers expect it.',
  },
  KAFKA_WRITER_DEAD: {
    meaning: 'A transactional producer was used after it had failed.',
    remedy: 'The worker begins again with a new one.',
  },
  LEDGER_UNREADABLE: {
    meaning: 'The ledger cannot be read up to the claim that was just written.',
    remedy: 'It tries again. If it stays, look at the partition leader of the ledger topic.',
  },
  METRICS_PORT_TAKEN: {
    meaning: 'The port of /metrics cannot be listened on.',
    remedy: 'Set METRICS_PORT to a free one, or to 0.',
  },
  NOTIFY_REFUSED: {
    meaning: 'Dead letter: a sink of incidents answered that it will not take an announcement.',
    remedy: 'The detail has its answer. Correct the sink in NOTIFY_SINKS; later announcements are told as before.',
  },
  NOTIFY_TOO_OLD: {
    meaning: 'Dead letter: a sink of incidents could not be told of an announcement within NOTIFY_AGE_MAX_MS.',
    remedy: 'Look at why the sink did not answer; spanloom incidents has what it missed.',
  },
  OTLP_DECODE: { meaning: 'Bytes cannot be decoded as an OTLP trace request.', remedy: 'Look at what produced them.' },
  PRODUCE_FAILED: { meaning: 'Messages could not be written to Kafka.', remedy: 'The cause is in the sentence.' },
  PRODUCE_TIMEOUT: {
    meaning: 'Kafka did not acknowledge spans within COLLECTOR_ACK_TIMEOUT_MS.',
    remedy: 'Clients are told to try again, and copies are counted once. Look at the brokers: disk, in-sync replicas.',
  },
  PRODUCE_INPUT: { meaning: 'A file for `spanloom produce` is not of the format named.', remedy: 'See its --help.' },
  REDIS_COMMAND: {
    meaning: 'Redis did not carry out a command, or not in time.',
    remedy: 'The partition is rebuilt from Kafka. If it happens often, Redis is overloaded or far away.',
  },
  REDIS_UNREACHABLE: {
    meaning: 'Redis does not answer.',
    remedy: 'It tries again with growing pauses. Check REDIS_URL, and rediss:// if it expects TLS.',
  },
  ROUTER_BATCH_REFUSED: {
    meaning: 'Dead letter: a batch of an ingest topic cannot be read.',
    remedy: 'Look at what produced it; reading went on behind it.',
  },
  ROUTER_OFFSETS_LOST: {
    meaning: 'Dead letter: offsets of an ingest topic were deleted before they were read.',
    remedy: 'Raise the retention of the ingest topic above the longest outage of the routers.',
  },
  ROUTER_RECORD_REFUSED: {
    meaning: 'Dead letter: a record of an ingest topic is no trace request.',
    remedy: 'The reason and the origin are in the dead letter.',
  },
  ROUTER_SPAN_REFUSED: {
    meaning: 'Dead letter: a span cannot be routed; the rest of its record went on.',
    remedy: 'The reason and the origin are in the dead letter.',
  },
  S3_FAILED: {
    meaning: 'The object store failed, or answered too late.',
    remedy: 'It is tried again. If the sentence names a wrong request, check S3_SSE and S3_CHECKSUMS.',
  },
  S3_REFUSED: {
    meaning: 'The object store refuses the keys, the rights or the bucket.',
    remedy: 'Check S3_BUCKET, S3_ENDPOINT, AWS_… and the rights to get, put, list and delete below SPANLOOM_PREFIX.',
  },
  SERVICE_FAILED: {
    meaning: 'A service process of `up` or `demo` did not start.',
    remedy: 'Its last lines are in the message, the rest in the log folder.',
  },
  SPANS_FOREIGN_RECORD: {
    meaning: 'Dead letter: a record of the spans topic that no span-router wrote.',
    remedy: 'Producers write to ingest topics. Find who writes there, and take away the right to.',
  },
  STACK_DATA_IN_USE: {
    meaning: 'Another run uses the data folder.',
    remedy: 'Stop it, or name another folder with --data.',
  },
  STACK_DOWNLOAD_FAILED: {
    meaning: 'A server could not be downloaded.',
    remedy: "Check the network and Maven's settings, or give the address of a running server.",
  },
  STACK_SERVER_FAILED: {
    meaning: 'A server of the local stack did not start or ended.',
    remedy: 'Its last lines are in the message.',
  },
  STACK_SETTING_INVALID: {
    meaning: 'An address of the stack in the environment cannot be used.',
    remedy: 'Correct the variable that the sentence names.',
  },
  STACK_TOOL_MISSING: {
    meaning: 'A program that the local stack needs is not installed.',
    remedy: 'Install it as the sentence says, or start Docker, or give the address of a running server.',
  },
  TOPICS_WRONG: {
    meaning: 'Topics are missing or are not as the promises need them.',
    remedy: 'Each sentence says what to change. `spanloom topics check` lists them; the exit code is 78.',
  },
  TOPIC_MISSING: { meaning: 'The topic to read does not exist.', remedy: 'Check SPANLOOM_PREFIX and --bootstrap.' },
  TRACES_FOREIGN_RECORD: {
    meaning: 'Dead letter: a record of the traces topic that no trace-assembler wrote.',
    remedy: 'Find who writes there, and take away the right to.',
  },
  TRACES_SCHEMA_UNKNOWN: {
    meaning: 'Recovery met a trace record of a schema that this version does not know; the partition stands still.',
    remedy: 'Run the version that wrote it, or a later one. If somebody else wrote it, take away the right to.',
  },
  TRACES_STALE: {
    meaning: 'A leader of the traces topic serves less than what is committed.',
    remedy:
      "It tries again until the replica has caught up. If the topic was made anew, or has lost records, that is never: then delete the worker's keys from the ledger to begin anew.",
  },
  TRACES_TOO_SHORT: {
    meaning: 'Retention of the traces topic has removed what recovery must read; the partition stands still.',
    remedy:
      "Raise TRACES_RETENTION_MS. Then delete the worker's keys from the ledger to begin anew, which emits open traces again.",
  },
  TRACES_UNREADABLE: {
    meaning: 'The traces topic cannot be read past an offset.',
    remedy: 'It tries again. If it stays, look at the partition leader.',
  },
  WINDOW_FOREIGN: {
    meaning: 'What Redis holds of an open trace is not as a trace-assembler writes it.',
    remedy: 'Look who else writes below SPANLOOM_PREFIX in Redis. The trace is whole once it is closed.',
  },
  WINDOW_STORE_SURPRISE: {
    meaning:
      'Redis holds something else than the worker put there: evicted, flushed, or failed over to a stale replica.',
    remedy:
      'The partition is rebuilt from Kafka. If it happens often, set maxmemory-policy noeviction and look at failovers.',
  },
};

export interface ErrorCode {
  readonly meaning: string;
  /** What a person does, or why nothing need be done. */
  readonly remedy: string;
}
