/* SPDX-License-Identifier: Apache-2.0 */
/* The registry of threads that evaluate, and the list of what waits for them: see reader.h. */
#include "reader.h"

#include <pthread.h>
#include <time.h>
#include <unistd.h>

#if defined(__linux__)
#include <linux/membarrier.h>
#include <sys/syscall.h>
#endif

_Thread_local struct ofi_reader ofi_reader __attribute__((tls_model("initial-exec")));
_Atomic(uint64_t) ofi_epoch = 1;
_Atomic(bool) ofi_light;

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER; /* over the two lists */
static struct ofi_reader *readers;
static struct of_retired *pending;
_Atomic(uint64_t) ofi_settings_pending;

static pthread_mutex_t without_lock = PTHREAD_MUTEX_INITIALIZER; /* over when the barrier was lost */
static bool registered;                                          /* the barrier could be had at the start */

static pthread_once_t once = PTHREAD_ONCE_INIT;
static pthread_key_t key;
static bool have_key;

static bool register_barrier(void)
{
#if defined(__linux__) && defined(SYS_membarrier)
    return syscall(SYS_membarrier, MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED, 0, 0) == 0;
#else
    return false;
#endif
}

#if defined(__linux__) && defined(SYS_membarrier)
/* A sandbox has forbidden the call since the start. From here on readers carry the barrier themselves; those
 * that were on their way without it are given time, of which they need a few nanoseconds once they run. */
static void do_without(void)
{
    enum { PAUSE_NS = 1000 * 1000, CAUTIOUS_S = 1 };
    static struct timespec since;
    struct timespec now;
    const struct timespec pause = {0, PAUSE_NS};
    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    (void)pthread_mutex_lock(&without_lock);
    if (since.tv_sec == 0)
        since = now;
    bool cautious = now.tv_sec - since.tv_sec <= CAUTIOUS_S;
    (void)pthread_mutex_unlock(&without_lock);
    atomic_store(&ofi_light, false);
    if (cautious)
        (void)nanosleep(&pause, NULL);
}
#endif

/* After this, every thread's earlier stores are visible here, and its later loads see ours. */
static void heavy_barrier(void)
{
#if defined(__linux__) && defined(SYS_membarrier)
    if (!registered)
        return;
    if (syscall(SYS_membarrier, MEMBARRIER_CMD_PRIVATE_EXPEDITED, 0, 0) != 0)
        do_without();
#endif
}

static void forget_reader(void *argument)
{
    struct ofi_reader *reader = argument;
    (void)pthread_mutex_lock(&lock);
    if (reader->previous != NULL)
        reader->previous->next = reader->next;
    else
        readers = reader->next;
    if (reader->next != NULL)
        reader->next->previous = reader->previous;
    reader->known = false;
    (void)pthread_mutex_unlock(&lock);
    ofi_reap(NULL);
}

static void prepare(void)
{
    registered = register_barrier();
    atomic_store(&ofi_light, registered);
    have_key = pthread_key_create(&key, forget_reader) == 0;
}

bool ofi_reader_register(void)
{
    (void)pthread_once(&once, prepare);
    if (!have_key || pthread_setspecific(key, &ofi_reader) != 0)
        return false;
    (void)pthread_mutex_lock(&lock);
    ofi_reader.previous = NULL;
    ofi_reader.next = readers;
    if (readers != NULL)
        readers->previous = &ofi_reader;
    readers = &ofi_reader;
    ofi_reader.known = true;
    (void)pthread_mutex_unlock(&lock);
    return true;
}

uint64_t ofi_unlinked(void)
{
    return atomic_fetch_add(&ofi_epoch, 1);
}

static bool slot_holds(struct ofi_slot *slot, const void *object, uint64_t tag)
{
    for (int i = 0; i < OFI_HELD_COUNT; i++)
        if (atomic_load(&slot->held[i]) == object)
            return atomic_load_explicit(&slot->epoch, memory_order_relaxed) <= tag;
    return false;
}

static bool held_anywhere(const void *object, uint64_t tag)
{
    for (struct ofi_reader *reader = readers; reader != NULL; reader = reader->next)
        for (int i = 0; i < OFI_MAX_NESTING; i++)
            if (slot_holds(&reader->slots[i], object, tag))
                return true;
    return false;
}

bool ofi_in_use(const void *object, uint64_t tag)
{
    (void)pthread_once(&once, prepare);
    heavy_barrier();
    (void)pthread_mutex_lock(&lock);
    bool used = held_anywhere(object, tag);
    (void)pthread_mutex_unlock(&lock);
    return used;
}

void ofi_wait_unused(const void *object, uint64_t tag)
{
    enum { FIRST_NS = 20 * 1000, LAST_NS = 5 * 1000 * 1000 };
    struct timespec pause = {0, FIRST_NS};
    while (ofi_in_use(object, tag)) {
        (void)nanosleep(&pause, NULL);
        if (pause.tv_nsec < LAST_NS)
            pause.tv_nsec *= 2;
    }
}

/* Settings are retired as the object that evaluations hold. */
static bool is_settings(const struct of_retired *retired)
{
    return retired->user == (const void *)retired;
}

static uint64_t bit_of(const void *settings)
{
    enum { SIZE = 32, BITS = 64 }; /* addresses are at least so far apart */
    return settings == NULL ? 0 : UINT64_C(1) << ((uintptr_t)settings / SIZE % BITS);
}

/* With the lock: settings that wait all along keep their bits meanwhile. */
static void note_pending(void)
{
    uint64_t bits = 0;
    for (const struct of_retired *retired = pending; retired != NULL; retired = retired->next)
        if (is_settings(retired))
            bits |= bit_of(retired);
    atomic_store(&ofi_settings_pending, bits);
}

void ofi_reap(const void *provider)
{
    struct of_retired *ready = NULL;
    (void)pthread_once(&once, prepare);
    (void)pthread_mutex_lock(&lock);
    if (pending == NULL) {
        (void)pthread_mutex_unlock(&lock);
        return;
    }
    heavy_barrier();
    for (struct of_retired **link = &pending; *link != NULL;) {
        struct of_retired *retired = *link;
        bool concerned = provider == NULL ? is_settings(retired) : retired->user == provider;
        if (!concerned || held_anywhere(retired->user, retired->tag)) {
            link = &retired->next;
            continue;
        }
        *link = retired->next;
        retired->next = ready;
        ready = retired;
    }
    note_pending();
    (void)pthread_mutex_unlock(&lock);
    while (ready != NULL) {
        struct of_retired *retired = ready;
        ready = retired->next;
        retired->run(retired);
    }
}

void ofi_retire(struct of_retired *retired, const void *object, void (*run)(struct of_retired *retired))
{
    retired->user = object;
    retired->run = run;
    retired->tag = ofi_unlinked();
    (void)pthread_mutex_lock(&lock);
    retired->next = pending;
    pending = retired;
    bool settings = is_settings(retired);
    note_pending();
    (void)pthread_mutex_unlock(&lock);
    ofi_reap(settings ? NULL : object);
}

/* Whoever retires sets the bit first, then has the barrier, then looks into the slots: either it sees ours
 * empty, or we see its bit. */
void ofi_leave(struct ofi_slot *slot)
{
    uint64_t had = ofi_reader.let_go;
    for (int i = 1; i < OFI_HELD_COUNT; i++) {
        had |= bit_of(atomic_load_explicit(&slot->held[i], memory_order_relaxed));
        atomic_store_explicit(&slot->held[i], NULL, memory_order_release);
    }
    ofi_leave_plain(slot);
    if (atomic_load_explicit(&ofi_light, memory_order_relaxed))
        atomic_signal_fence(memory_order_seq_cst);
    else
        atomic_thread_fence(memory_order_seq_cst);
    ofi_reader.let_go = ofi_reader.depth == 0 ? 0 : had;
    if (had != 0 && ofi_reader.depth == 0 && (atomic_load(&ofi_settings_pending) & had) != 0)
        ofi_reap(NULL);
}

void ofi_reader_fork_prepare(void)
{
    (void)pthread_mutex_lock(&lock);
}

void ofi_reader_fork_parent(void)
{
    (void)pthread_mutex_unlock(&lock);
}

void ofi_reader_fork_child(void)
{
    readers = ofi_reader.known ? &ofi_reader : NULL;
    ofi_reader.next = NULL;
    ofi_reader.previous = NULL;
    /* The expedited barrier is registered per process image and memory; the child has its own. */
    if (registered)
        (void)register_barrier();
    (void)pthread_mutex_unlock(&lock);
}
