// SPDX-License-Identifier: Apache-2.0
export function SubjectList() { return null; }
export function SubjectView(_: { subject: string }) { return null; }
