/* Linux tells of noexec with the same call, and calls the flag otherwise. */
#ifndef SHIM_MOUNT_H
#define SHIM_MOUNT_H

#include <sys/statfs.h>
#include <sys/statvfs.h>

#define MNT_NOEXEC ST_NOEXEC

#endif
