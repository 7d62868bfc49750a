/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How an evaluation reads what others replace, without a lock and without counting.
 *
 * Each thread has a few slots, one for each evaluation it is nested in. In it the evaluation publishes what
 * it is going to use (provider, settings), and looks again whether that is still current. Whoever replaces
 * such a thing first unlinks it, then looks into all slots; what no slot shows can be freed or shut down. So
 * an evaluation that hangs holds up only what it uses itself. These are hazard pointers (Michael, 2004), and
 * the epoch tells evaluations that began before a replacement from those that began after it.
 *
 * On Linux the replacing side carries the memory barrier for both, through membarrier(2); elsewhere, and
 * where that call is refused, readers use a sequentially consistent exchange.
 */
#ifndef OFI_READER_H
#define OFI_READER_H

#include <stdatomic.h>
#include <stdbool.h>

#include <openfeature/provider.h>

/* How deeply evaluations may be nested in one thread: hooks that evaluate, providers that wrap. */
enum { OFI_MAX_NESTING = 8 };

enum ofi_held { OFI_HELD_PROVIDER, OFI_HELD_CORE, OFI_HELD_CLIENT, OFI_HELD_DOMAIN, OFI_HELD_COUNT };

struct ofi_slot {
    _Atomic(void *) held[OFI_HELD_COUNT];
    _Atomic(uint64_t) epoch;
};

struct ofi_reader {
    struct ofi_slot slots[OFI_MAX_NESTING];
    unsigned depth;
    uint64_t let_go; /* bits of the settings that nested evaluations held, as in ofi_settings_pending */
    bool known;
    struct ofi_reader *next, *previous;
};

extern _Thread_local struct ofi_reader ofi_reader __attribute__((tls_model("initial-exec")));
extern _Atomic(uint64_t) ofi_epoch;
extern _Atomic(bool)
    ofi_light; /* whether the replacing side carries the barrier; set before the first reader is known */

/* Makes the calling thread's slots visible. False when the system has no thread-specific key left. */
bool ofi_reader_register(void);

/* Starts an evaluation; NULL when nested too deeply. */
static inline struct ofi_slot *ofi_enter(void)
{
    struct ofi_reader *reader = &ofi_reader;
    if (__builtin_expect(!reader->known, 0) && !ofi_reader_register())
        return NULL;
    if (__builtin_expect(reader->depth == OFI_MAX_NESTING, 0))
        return NULL;
    struct ofi_slot *slot = &reader->slots[reader->depth++];
    atomic_store_explicit(&slot->epoch, atomic_load_explicit(&ofi_epoch, memory_order_acquire),
                          memory_order_relaxed);
    return slot;
}

/* Loads the pointer at `source` and keeps what it points to until ofi_leave(). */
static inline void *ofi_hold(struct ofi_slot *slot, enum ofi_held held, _Atomic(void *) *source)
{
    void *pointer = atomic_load_explicit(source, memory_order_relaxed);
    while (pointer != NULL) {
        if (__builtin_expect(atomic_load_explicit(&ofi_light, memory_order_relaxed), 1)) {
            atomic_store_explicit(&slot->held[held], pointer, memory_order_release);
            atomic_signal_fence(memory_order_seq_cst);
        } else {
            (void)atomic_exchange(&slot->held[held], pointer);
        }
        void *again = atomic_load(source);
        if (__builtin_expect(again == pointer, 1))
            return pointer;
        pointer = again;
    }
    return NULL;
}

/* Keeps an object that the caller knows to exist until ofi_leave(). */
static inline void ofi_hold_known(struct ofi_slot *slot, enum ofi_held held, void *object)
{
    if (atomic_load_explicit(&ofi_light, memory_order_relaxed)) {
        atomic_store_explicit(&slot->held[held], object, memory_order_release);
        atomic_signal_fence(memory_order_seq_cst);
    } else {
        (void)atomic_exchange(&slot->held[held], object);
    }
}

/* Ends the evaluation that ofi_enter() started last in this thread. */
void ofi_leave(struct ofi_slot *slot);

/* The same where nothing but the provider was held. */
static inline void ofi_leave_plain(struct ofi_slot *slot)
{
    atomic_store_explicit(&slot->held[OFI_HELD_PROVIDER], NULL, memory_order_release);
    ofi_reader.depth--;
}

/* Whether the calling thread is inside of an evaluation. */
static inline bool ofi_evaluating(void)
{
    return ofi_reader.depth > 0;
}

/*
 * Retiring: run(retired) is called once no evaluation that may have seen `object`, unlinked by now, holds it.
 *
 * What `run` does is somebody's code, so it matters under which locks it runs. What a provider retires is
 * run when the same provider retires something again, and at its end: under the locks that it holds itself
 * then, and never under another's. Settings hold hooks and propagators, whose `destroy` is the program's:
 * they are run (ofi_reap(NULL)) where the SDK and all providers hold nothing, that is, where the program
 * replaces settings, and where the evaluation ends that was the last to read them.
 */
void ofi_retire(struct of_retired *retired, const void *object, void (*run)(struct of_retired *retired));
/* Runs what was retired of a provider, or with NULL of settings, and is held by no evaluation. */
void ofi_reap(const void *provider);
/* Which settings wait to be run, as a bit of each one's address: looked at by evaluations that have just let
 * go of some. One that is slow does not cost those that hold newer ones. */
extern _Atomic(uint64_t) ofi_settings_pending;
/* The moment before which an evaluation must have begun to see what has been unlinked by now. */
uint64_t ofi_unlinked(void);
/* Whether an evaluation that began before `tag` holds the object. */
bool ofi_in_use(const void *object, uint64_t tag);
/* Waits until it does not. Not from inside of an evaluation that holds it. */
void ofi_wait_unused(const void *object, uint64_t tag);

/* Around fork(): nothing may be half done, and the child has but one thread. */
void ofi_reader_fork_prepare(void);
void ofi_reader_fork_parent(void);
void ofi_reader_fork_child(void);

#endif
