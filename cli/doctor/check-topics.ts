import { inspectTopics } from '../../lib/topics/prepare-topics.ts';
import { plural } from '../format.ts';
import { connectKafka } from '../kafka/connect.ts';
import { type Check, type Environment, failedCheck } from './check.ts';

/** That every topic of ours is there with the partitions and settings on which something rests. */
export async function checkTopics(env: Environment): Promise<Check> {
  const name = 'topics';
  try {
    const { kafka, settings } = connectKafka(env, undefined);
    const { topics, problems } = await inspectTopics(kafka, settings, { create: false });
    if (problems.length === 0) {
      return { name, ok: true, detail: `${plural(topics.length, 'topic')} of prefix ${settings.SPANLOOM_PREFIX}` };
    }
    const advice = "'spanloom topics create' makes missing topics; PARTITIONS must be what they were made with.";
    return { name, ok: false, detail: problems.join(' '), advice };
  } catch (error) {
    return failedCheck(name, error, 'Kafka must answer first.');
  }
}
