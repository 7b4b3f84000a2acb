import { Client, credentials, Metadata, type ServiceError, status } from '@grpc/grpc-js';
import { afterEach, describe, expect, it } from '@jest/globals';
import { otlp } from '../../../lib/testkit/otlp-builder.ts';
import { TLS } from '../../../lib/testkit/tls-certificates.ts';
import { bearerToken } from './bearer-token.ts';
import { type GrpcDoor, type GrpcDoorOptions, openGrpcDoor } from './grpc-door.ts';
import { intakeFixture } from './intake.fixture.ts';

const BODY = otlp([{ service: 'web', spans: [{ id: 1 }, { id: 2, parent: 1 }] }]);
const OPTIONS: GrpcDoorOptions = {
  host: '127.0.0.1',
  port: 0,
  tls: undefined,
  token: bearerToken(undefined),
  messageBytesMax: 100_000,
  requestsMax: 100,
  requestTimeoutMs: 20_000,
};
const METHOD = '/opentelemetry.proto.collector.trace.v1.TraceService/Export';
const GZIP = 2;
const clients: Client[] = [];
const doors: GrpcDoor[] = [];

afterEach(async () => {
  for (const client of clients.splice(0)) client.close();
  for (const door of doors.splice(0)) await door.close();
});

async function open(options: Partial<GrpcDoorOptions> = {}, intake = intakeFixture()) {
  const door = await openGrpcDoor({ ...OPTIONS, ...options }, intake);
  doors.push(door);
  const secrecy = options.tls ? credentials.createSsl(Buffer.from(options.tls.cert)) : credentials.createInsecure();
  const newClient = (channel: Record<string, number> = {}) => {
    const client = new Client(new URL(door.url).host, secrecy, {
      'grpc.enable_retries': 0,
      ...channel,
    });
    clients.push(client);
    return client;
  };
  const asIs = (bytes: Buffer) => bytes;
  const send = (body: Buffer, headers: Record<string, string> = {}, client = newClient()) =>
    new Promise<Buffer | ServiceError>((resolve) => {
      const metadata = new Metadata();
      for (const [name, value] of Object.entries(headers)) metadata.set(name, value);
      client.makeUnaryRequest(METHOD, asIs, asIs, body, metadata, (error, response) => resolve(error ?? response!));
    });
  return { intake, send, newClient, door };
}

const refusal = async (answer: Promise<Buffer | ServiceError>) => {
  const { code, details } = (await answer) as ServiceError;
  return { code, details };
};

describe('the gRPC door', () => {
  it('takes OTLP as it is, compressed or not, and says what it took', async () => {
    const { intake, send, newClient } = await open();
    expect(await send(BODY)).toEqual(Buffer.alloc(0));
    const gzip = newClient({ 'grpc.default_compression_algorithm': GZIP });
    expect(await send(BODY, {}, gzip)).toEqual(Buffer.alloc(0));
    const partly = otlp([{ service: 'web', spans: [{ id: 1 }, { id: '0000000000000000' }] }]);
    expect(String(await send(partly))).toMatch(/1 spans have an id that is none/);
    expect(intake.records).toEqual([BODY, BODY, partly]);
    expect(intake.reports.map(({ door, code, spans, rejected }) => [door, code, spans, rejected])).toEqual([
      ['grpc', 0, 2, 0],
      ['grpc', 0, 2, 0],
      ['grpc', 0, 2, 1],
    ]);
    expect(intake.heldBytes).toBe(0);
  });

  it('refuses what is no request, too large, or a bomb, and goes on', async () => {
    const { intake, send, newClient } = await open();
    expect(await refusal(send(BODY.subarray(0, -3)))).toEqual({
      code: status.INVALID_ARGUMENT,
      details: expect.stringMatching(/truncated/),
    });
    expect(await refusal(send(Buffer.alloc(200_000)))).toMatchObject({ code: status.RESOURCE_EXHAUSTED });
    const gzip = newClient({ 'grpc.default_compression_algorithm': GZIP });
    expect(await refusal(send(Buffer.alloc(50_000_000), {}, gzip))).toMatchObject({ code: status.RESOURCE_EXHAUSTED });
    expect(intake.records).toEqual([]);
    expect(intake.heldBytes).toBe(0);
    expect(await send(BODY)).toEqual(Buffer.alloc(0));
  });

  it('wants the token', async () => {
    const { intake, send } = await open({ token: bearerToken('s3cret') });
    expect(await refusal(send(BODY))).toMatchObject({ code: status.UNAUTHENTICATED });
    expect(await refusal(send(BODY, { authorization: 'Bearer wrong' }))).toMatchObject({ code: 16 });
    expect(intake.records).toEqual([]);
    expect(await send(BODY, { authorization: 'Bearer s3cret' })).toEqual(Buffer.alloc(0));
  });

  it('speaks TLS when it has a certificate', async () => {
    const { intake, send, door } = await open({ tls: TLS });
    expect(door.url).toMatch(/^https:/);
    expect(await send(BODY)).toEqual(Buffer.alloc(0));
    expect(intake.records).toEqual([BODY]);
  });

  it('says when to try again: RetryInfo when Kafka does not take it, or too much is held', async () => {
    const intake = intakeFixture({ heldBytesMax: BODY.length + 10 });
    const kafka = Promise.withResolvers<boolean>();
    intake.answer = kafka.promise;
    const { send } = await open({}, intake);
    const first = send(BODY);
    while (intake.records.length === 0) await new Promise((resolve) => setTimeout(resolve, 5));
    const second = (await send(BODY)) as ServiceError;
    expect(second.code).toBe(status.RESOURCE_EXHAUSTED);
    expect(String(second.metadata.get('grpc-status-details-bin')[0])).toMatch(/google\.rpc\.RetryInfo/);
    kafka.resolve(false);
    const failed = (await first) as ServiceError;
    expect(failed.code).toBe(status.UNAVAILABLE);
    expect(String(failed.metadata.get('grpc-status-details-bin')[0])).toMatch(/google\.rpc\.RetryInfo/);
    expect(intake.heldBytes).toBe(0);
  });

  it('has a limit on calls at once, which those that ended do not count for', async () => {
    const intake = intakeFixture();
    const kafka = Promise.withResolvers<boolean>();
    intake.answer = kafka.promise;
    const { send } = await open({ requestsMax: 1 }, intake);
    const first = send(BODY);
    while (intake.records.length === 0) await new Promise((resolve) => setTimeout(resolve, 5));
    expect(await refusal(send(BODY))).toMatchObject({ code: 8, details: expect.stringMatching(/at once/) });
    kafka.resolve(true);
    expect(await first).toEqual(Buffer.alloc(0));
    for (let i = 0; i < 5; i++) expect(await send(BODY)).toEqual(Buffer.alloc(0));
  });

  it('ends a call whose message does not come', async () => {
    const { newClient, intake } = await open({ requestTimeoutMs: 200 });
    const asIs = (bytes: Buffer) => bytes;
    const code = await new Promise<number>((resolve) => {
      const call = newClient().makeClientStreamRequest(METHOD, asIs, asIs, (error) => resolve(error?.code ?? 0));
      call.on('error', () => {});
    });
    expect(code).toBe(status.DEADLINE_EXCEEDED);
    expect(intake.records).toEqual([]);
  });

  it('says which port is taken', async () => {
    const { door } = await open();
    const port = Number(new URL(door.url).port);
    await expect(open({ port })).rejects.toMatchObject({ code: 'COLLECTOR_PORT' });
  });
});
