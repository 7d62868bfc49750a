/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file
 * Marks what libopenfeature exports. Everything else is hidden, and a test compares the dynamic symbol
 * table with these headers. Knows nothing of OpenFeature.
 */
#ifndef OPENFEATURE_EXPORT_H
#define OPENFEATURE_EXPORT_H

#ifdef __cplusplus
#define OF_BEGIN_DECLS extern "C" {
#define OF_END_DECLS   }
#else
#define OF_BEGIN_DECLS
#define OF_END_DECLS
#endif

#if defined(__GNUC__)
/** A function of the library's interface. */
#define OF_API __attribute__((visibility("default")))
/** The caller must look at the result: it is owned by the caller, or an error that matters. */
#define OF_MUST_USE __attribute__((warn_unused_result))
#else
#define OF_API
#define OF_MUST_USE
#endif

#endif
