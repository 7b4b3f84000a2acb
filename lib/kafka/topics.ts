import timers from 'node:timers/promises';
import kafkajs, { type Admin, type Kafka } from 'kafkajs';
import { acquireLinks, type BrokerLinks } from './broker-links.ts';
import { kafkaError, kafkaErrorType } from './errors.ts';

/** What a topic must be like for the services to be right. */
export interface TopicSpec {
  readonly name: string;
  /** Exact number, unless `partitionsMin` is given: records are placed by it, so a topic of another count is refused. */
  readonly partitions: number;
  /** Any count from this on will do; `partitions` is then what a new topic gets. */
  readonly partitionsMin?: number;
  /** Topic configs by Kafka's names, e.g. `retention.ms`: what a new topic gets and what an existing one must have. */
  readonly config: Readonly<Record<string, string>>;
  /** What a new topic gets besides; an existing one may differ. */
  readonly initialConfig?: Readonly<Record<string, string>>;
  /** Keys of `config` of which an existing topic may have more, or -1 for without limit. */
  readonly atLeast?: readonly string[];
}

/**
 * Creates the topics that are missing and checks the ones that exist. Several services may do so at once.
 *
 * Nothing of an existing topic is ever changed: its settings are its owner's.
 *
 * @param options.create false: a missing topic is a problem instead.
 * @param options.replicationFactor of new topics; -1 takes the broker's default.
 * @returns one sentence for each problem, saying what to do; none when every topic is as specified.
 * @throws SpanloomError when Kafka cannot be reached or does not let this client ask.
 */
export async function ensureTopics(
  kafka: Kafka,
  specs: readonly TopicSpec[],
  options: { create: boolean; replicationFactor: number },
): Promise<string[]> {
  const admin = kafka.admin();
  const links = acquireLinks(kafka);
  try {
    const names = specs.map(({ name }) => name);
    let counts = await links.partitionCounts(names);
    const missing = specs.filter(({ name }) => !counts.has(name));
    await admin.connect();
    const problems = options.create
      ? await createAll(admin, missing, options.replicationFactor)
      : missing.map(isMissing);
    if (options.create && missing.length > 0) counts = await countsOnceKnown(links, names);
    const existing = specs.filter(({ name }) => counts.has(name));
    for (const spec of existing) problems.push(...partitionProblems(spec, counts.get(spec.name) ?? 0));
    if (existing.length > 0) problems.push(...(await configProblems(admin, existing)));
    return problems;
  } catch (error) {
    throw kafkaError(error, 'looking at its topics');
  } finally {
    await Promise.all([admin.disconnect(), links.release()]);
  }
}

/** A new topic is known to all brokers a moment after its creation, whoever created it. */
async function countsOnceKnown(links: BrokerLinks, names: readonly string[]): Promise<ReadonlyMap<string, number>> {
  const until = performance.now() + KNOWN_MS;
  for (;;) {
    const counts = await links.partitionCounts(names);
    if (names.every((name) => counts.has(name)) || performance.now() > until) return counts;
    await timers.setTimeout(KNOWN_POLL_MS);
  }
}

const KNOWN_MS = 5_000;
const KNOWN_POLL_MS = 50;

/** One request a topic, so that each failure has its topic's name. */
async function createAll(admin: Admin, specs: readonly TopicSpec[], replicationFactor: number): Promise<string[]> {
  const problems = await Promise.all(specs.map((spec) => create(admin, spec, replicationFactor)));
  return problems.filter((problem) => problem !== undefined);
}

async function create(admin: Admin, spec: TopicSpec, replicationFactor: number): Promise<string | undefined> {
  try {
    await admin.createTopics({
      topics: [
        {
          topic: spec.name,
          numPartitions: spec.partitions,
          replicationFactor,
          configEntries: Object.entries({ ...spec.initialConfig, ...spec.config }).map(([name, value]) => ({
            name,
            value,
          })),
        },
      ],
      timeout: CREATE_MS,
      // kafkajs waits for leaders by asking for metadata once, which fails while others create topics too.
      waitForLeaders: false,
    });
    return undefined;
  } catch (error) {
    const type = kafkaErrorType(error) ?? kafkaErrorType((error as { errors?: unknown[] }).errors?.[0]);
    if (type === undefined) throw error;
    if (type === 'TOPIC_ALREADY_EXISTS') return undefined;
    if (PASSING.has(type)) throw (error as { errors?: unknown[] }).errors?.[0] ?? error;
    return `Topic ${spec.name} could not be created with ${spec.partitions} partitions and replication factor ${replicationFactor} (${type}); create it by hand or change TOPIC_REPLICATION.`;
  }
}

const CREATE_MS = 15_000;
/** Says nothing about the topic: the start is tried again. */
const PASSING = new Set(['NOT_CONTROLLER', 'REQUEST_TIMED_OUT', 'UNKNOWN_TOPIC_OR_PARTITION', 'LEADER_NOT_AVAILABLE']);

function isMissing(spec: TopicSpec): string {
  return `Topic ${spec.name} is missing; create it with \`spanloom topics\`, or with ${spec.partitions} partitions and ${describeConfig(spec.config)}.`;
}

function partitionProblems({ name, partitions, partitionsMin }: TopicSpec, count: number): string[] {
  if (partitionsMin !== undefined) {
    return count >= partitionsMin
      ? []
      : [`Topic ${name} has ${count} partitions, but at least ${partitionsMin} are needed.`];
  }
  if (count === partitions) return [];
  return [
    `Topic ${name} has ${count} partitions, but PARTITIONS is ${partitions}; set PARTITIONS=${count} everywhere, or start with another SPANLOOM_PREFIX (the number cannot change later, because traces are placed by it).`,
  ];
}

async function configProblems(admin: Admin, specs: readonly TopicSpec[]): Promise<string[]> {
  const { resources } = await admin.describeConfigs({
    includeSynonyms: false,
    resources: specs.map(({ name, config }) => ({
      type: kafkajs.ConfigResourceTypes.TOPIC,
      name,
      configNames: Object.keys(config),
    })),
  });
  const problems: string[] = [];
  for (const spec of specs) {
    const entries = resources.find(({ resourceName }) => resourceName === spec.name)?.configEntries ?? [];
    const found = new Map(entries.map(({ configName, configValue }) => [configName, configValue]));
    for (const [key, wanted] of Object.entries(spec.config)) {
      const value = found.get(key);
      if (value === undefined || isFine(value, wanted, spec.atLeast?.includes(key) ?? false)) continue;
      problems.push(
        `Topic ${spec.name} has ${key}=${value}, but ${spec.atLeast?.includes(key) ? 'at least ' : ''}${wanted} is needed; change it with kafka-configs --alter --topic ${spec.name} --add-config '${key}=${wanted.includes(',') ? `[${wanted}]` : wanted}'.`,
      );
    }
  }
  return problems;
}

/** Exported for its test. A list such as `compact,delete` may come in any order. */
export function isFine(value: string, wanted: string, atLeast: boolean): boolean {
  if (atLeast) return Number(value) === -1 || (Number(wanted) !== -1 && Number(value) >= Number(wanted));
  const inOrder = (list: string): string =>
    list
      .split(',')
      .map((item) => item.trim())
      .sort()
      .join();
  return inOrder(value) === inOrder(wanted);
}

function describeConfig(config: Readonly<Record<string, string>>): string {
  return Object.entries(config)
    .map(([key, value]) => `${key}=${value}`)
    .join(' ');
}
