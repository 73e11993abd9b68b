/*
 * layout.h: the folder of a store.
 *
 *	format              "profuse-store 1"
 *	lock                held (flock) by the one who writes
 *	journal/SEQ.log     what is not sealed yet, appended and synced
 *	seg/HOUR/BB/SHA     sealed: HOUR of collection (UTC), BB bucket, SHA-256 of the footer
 *	pins/SHA            empty: this profile is not to be pruned
 *	tmp/                half-written segments
 *	catalog.db          see catalog.h
 *
 * Every path here is relative to the folder and made by us; nothing that a
 * profile or a server says becomes part of one.
 */
#ifndef PF_STORE_LAYOUT_H
#define PF_STORE_LAYOUT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct pf_error;

enum { PF_LAYOUT_PATH = 128 }; /* room for any relative path of ours */

/* Opens the folder of a store, or (create) makes it. *root is a descriptor. PF_EIO; PF_EINPUT: no store. */
int pf_layout_open(int *root, const char *path, bool create, struct pf_error *err);

/*
 * Takes the lock, trying for `patience` seconds; *lock is -1 where it can't be
 * had, and PF_EIO comes only for other trouble. `brief`: it is for a repair, and
 * others had better wait for that.
 */
int pf_layout_lock(
    int root, const char *path, double patience, bool brief, int *lock, struct pf_error *err);
/* Says who holds the lock, as a PF_EIO. */
int pf_layout_locked(int root, const char *path, struct pf_error *err);

/* Makes a new name durable: syncs the folder that holds this relative path. */
int pf_layout_sync(int root, const char *relative, struct pf_error *err);
/* Makes the folders on the way to this relative path, durably. */
int pf_layout_make_way(int root, const char *relative, struct pf_error *err);

/* Calls each(data, name) for what is in a folder, hidden names left out; stops at a code other than 0. */
int pf_layout_each(int root, const char *folder, int (*each)(void *data, const char *name),
    void *data, struct pf_error *err);
/* Calls each(data, relative path) for every segment. */
int pf_layout_each_segment(
    int root, int (*each)(void *data, const char *relative), void *data, struct pf_error *err);

/* "seg/2026112522/ab/<sha>"; `path` has PF_LAYOUT_PATH bytes. */
void pf_layout_segment(char *path, int64_t hour, unsigned bucket, const char *hex);
void pf_layout_journal(char *path, uint64_t sequence);
/* The sequence number of a journal's name, or 0: it is none. */
uint64_t pf_layout_journal_number(const char *name);

#endif
