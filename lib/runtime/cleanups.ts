import type { Logger } from '../observability/logger.ts';

/** What must be closed again, closed in the reverse order; one that fails is logged and does not keep the others open. */
export class Cleanups {
  private readonly logger: Logger;
  private closes: (() => Promise<unknown> | unknown)[] = [];

  constructor(logger: Logger) {
    this.logger = logger;
  }

  add(close: () => Promise<unknown> | unknown): void {
    this.closes.push(close);
  }

  async run(): Promise<void> {
    const closes = this.closes.reverse();
    this.closes = [];
    for (const close of closes) {
      try {
        await close();
      } catch (error) {
        this.logger.warn('could not be closed', { error });
      }
    }
  }
}
