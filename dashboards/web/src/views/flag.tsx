// SPDX-License-Identifier: Apache-2.0
export function FlagList() { return null; }
export function FlagView(_: { flag: string }) { return null; }
