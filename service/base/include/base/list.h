/* SPDX-License-Identifier: Apache-2.0 */
/* An intrusive doubly linked list; a list's head is no member. Belongs to one thread at a time. */
#ifndef FS_BASE_LIST_H
#define FS_BASE_LIST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct fs_list {
    struct fs_list *prev, *next;
};

#define FS_CONTAINER(node, type, member) ((type *)(uintptr_t)((const char *)(node)-offsetof(type, member)))

static inline void fs_list_init(struct fs_list *list)
{
    list->prev = list->next = list;
}

static inline bool fs_list_empty(const struct fs_list *list)
{
    return list->next == list;
}

static inline void fs_list_append(struct fs_list *list, struct fs_list *node)
{
    node->prev = list->prev;
    node->next = list;
    list->prev->next = node;
    list->prev = node;
}

/* Leaves the node initialised, so that removing it twice does no harm. */
static inline void fs_list_remove(struct fs_list *node)
{
    node->prev->next = node->next;
    node->next->prev = node->prev;
    fs_list_init(node);
}

/* Walks the list. */
static inline size_t fs_list_count(const struct fs_list *list)
{
    size_t count = 0;
    for (const struct fs_list *node = list->next; node != list; node = node->next)
        count++;
    return count;
}

/* The body may remove the current node, and no other. */
#define FS_LIST_EACH(list, node)                                                                             \
    for (struct fs_list *node = (list)->next, *node##_next = node->next; node != (list);                     \
         node = node##_next, node##_next = node->next)

#endif
