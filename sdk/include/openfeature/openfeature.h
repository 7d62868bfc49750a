/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file
 * OpenFeature for C, the dynamic paradigm: everything that a program needs which evaluates flags for many
 * subjects. Programs with one user include openfeature/static.h, those that want an API object of their
 * own openfeature/isolated.h, besides or instead.
 */
#ifndef OPENFEATURE_OPENFEATURE_H
#define OPENFEATURE_OPENFEATURE_H

#include <openfeature/api.h>
#include <openfeature/client.h>
#include <openfeature/context.h>
#include <openfeature/details.h>
#include <openfeature/error.h>
#include <openfeature/event.h>
#include <openfeature/hook.h>
#include <openfeature/json.h>
#include <openfeature/logging_hook.h>
#include <openfeature/memory.h>
#include <openfeature/options.h>
#include <openfeature/propagator.h>
#include <openfeature/provider.h>
#include <openfeature/telemetry_hook.h>
#include <openfeature/tracking.h>
#include <openfeature/value.h>
#include <openfeature/version.h>

#endif
