import { commonSettings } from '../../lib/config/common.ts';
import { bytes, defineSettings, type SettingsOf, text } from '../../lib/config/settings.ts';

export const settings = defineSettings({
  ...commonSettings,
  FORWARD_DESTINATIONS_PATH: text({
    required: true,
    allowed: 'the name of a YAML file',
    description:
      'File that declares the destinations; [the README](../services/forwarder/README.md) says what stands in it. `npm run up` starts the forwarder when it is set.',
  }),
  FETCH_BYTES_MAX: bytes({
    default: 256 * 1024,
    min: 64 * 1024,
    max: 16 * 1024 * 1024,
    description:
      'Most bytes asked for in one fetch of one partition for one destination, as compressed on the broker. A single larger batch is still read.',
  }),
});

export type ForwarderSettings = SettingsOf<typeof settings>;
