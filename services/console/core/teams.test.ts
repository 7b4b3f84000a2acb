import { describe, expect, it } from '@jest/globals';
import { Ownership } from '../../../lib/owners/ownership.ts';
import { Teams } from './teams.ts';

describe('the team of a service', () => {
  it('is the declared one, else the one that its resource names, else nobody', () => {
    const teams = new Teams(new Ownership(new Map([['payments-*', 'payments']])));
    teams.observe('payments-eu', 'europe');
    teams.observe('shop', 'web');
    teams.observe('shop', 'shop');
    expect(['payments-eu', 'shop', 'mailer'].map(teams.of)).toEqual(['payments', 'shop', null]);
  });
});
