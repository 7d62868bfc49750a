// SPDX-License-Identifier: Apache-2.0
// flagd's side of the differential test: the same lines as evaluate_lines.c, answered by @openfeature/flagd-core, once with its
// compiler and once with its interpreter: [[compiled...], [interpreted...]].
'use strict'
const readline = require('node:readline')
const { FlagdCore } = require('@openfeature/flagd-core')

const silent = { error () {}, warn () {}, info () {}, debug () {} }
const nothing = Symbol('no value')

function results (line, options) {
  const core = new FlagdCore(undefined, silent, options)
  core.setConfigurations(JSON.stringify({ flags: { [line.key]: line.flag }, $evaluators: line.evaluators ?? {} }))
  const type = typeof Object.values(line.flag.variants)[0]
  return line.contexts.map((context) => {
    const { value, variant, reason, errorCode } = core.resolve(type, line.key, nothing, context, silent)
    const result = { reason }
    if (value !== nothing) result.value = value
    if (variant !== undefined) result.variant = variant
    if (errorCode !== undefined) result.error = errorCode
    return result
  })
}

readline.createInterface({ input: process.stdin, crlfDelay: Infinity }).on('line', (text) => {
  const line = JSON.parse(text)
  Date.now = () => line.wall
  process.stdout.write(JSON.stringify([results(line, {}), results(line, { disableDynamicCodeGeneration: true })]) + '\n')
})
