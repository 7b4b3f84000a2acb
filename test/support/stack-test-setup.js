import { jest } from '@jest/globals';

// Real servers: joining a consumer group alone takes seconds on a busy machine.
jest.setTimeout(60_000);
