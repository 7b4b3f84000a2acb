import { MemoryWindowStore } from './memory-window-store.ts';
import { windowStoreConformance } from './window-store.conformance.ts';

windowStoreConformance('MemoryWindowStore', async () => new MemoryWindowStore(1_000));
