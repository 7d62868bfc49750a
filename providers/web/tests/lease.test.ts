// SPDX-License-Identifier: Apache-2.0
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { left, now, Renewals, since, span } from '../src/lease.js';

beforeEach(() => { vi.useFakeTimers(); });
afterEach(() => { vi.useRealTimers(); });

describe('the time that has passed is the larger of what two clocks say', () => {
  test('when performance.now() has stood still, as it may while a machine sleeps', () => {
    const steady = performance.now();
    const moment = now();
    vi.spyOn(performance, 'now').mockReturnValue(steady);
    vi.setSystemTime(Date.now() + 60_000);
    expect(since(moment)).toBe(60_000);
  });

  test('when Date.now() was set back', () => {
    const moment = now();
    vi.advanceTimersByTime(5000);
    vi.setSystemTime(Date.now() - 3_600_000);
    expect(since(moment)).toBe(5000);
  });

  test('so that setting the clock forward ends a lease, and setting it back lengthens none', () => {
    const lease = span(30_000);
    vi.setSystemTime(Date.now() - 1000);
    expect(left(lease)).toBe(30_000);
    vi.setSystemTime(Date.now() + 40_000);
    expect(left(lease)).toBeLessThan(0);
  });
});

describe('renewals', () => {
  test('are granted from the moment of their sending, the newest once', () => {
    const renewals = new Renewals();
    const hello = now();
    vi.advanceTimersByTime(1000);
    expect(renewals.next()).toBe(1);
    const first = now();
    vi.advanceTimersByTime(1000);
    expect(renewals.next()).toBe(2);
    expect(renewals.grant(0, 10)).toEqual({ from: hello, length: 10 });
    expect(renewals.grant(1, 10)).toEqual({ from: first, length: 10 });
    expect(renewals.grant(1, 10)).toBeUndefined();
    expect(renewals.grant(3, 10)).toBeUndefined();
  });

  test('settle older ones', () => {
    const renewals = new Renewals();
    renewals.next();
    renewals.next();
    expect(renewals.grant(2, 10)).toBeDefined();
    expect(renewals.grant(1, 10)).toBeUndefined();
  });

  test('beyond what is remembered are not granted', () => {
    const renewals = new Renewals();
    for (let i = 0; i < 20; i++) renewals.next();
    expect(renewals.grant(0, 10)).toBeUndefined();
    expect(renewals.grant(20, 10)).toBeDefined();
  });
});
