/* SPDX-License-Identifier: BSD-2-Clause */
/* What the errors of this library mean. */
#include <distributor/pool.h>

#include <errno.h>
#include <limits.h>
#include <string.h>

const char *distributor_strerror(int error)
{
    switch (error == INT_MIN ? 0 : error < 0 ? -error : error) {
    case 0:
        return error == 0 ? "success" : "unknown error";
    case EAGAIN:
        return "not now: full, empty, or the system has no thread to give";
    case ESHUTDOWN:
        return "it was closed, stopped, cancelled or destroyed";
    case EDEADLK:
        return "this call would wait for what cannot come";
    case ETIMEDOUT:
        return "the deadline passed";
    case ECANCELED:
        return "the distributor was cancelled";
    case ENOTSUP:
        return "this release does not have that part";
    case ECHILD:
        return "the process forked, and a child cannot use its parent's distributor";
    case ENODATA:
        return "there is no such result, or no value, yet";
    case EOWNERDEAD:
        return "the task ended its own thread";
    default:
        break;
    }
    const char *text = error == INT_MIN ? NULL : strerrordesc_np(error < 0 ? -error : error);
    return text ? text : "unknown error";
}
