/* SPDX-License-Identifier: Apache-2.0 */
/* Empty, in place of the system header: cffi knows these types. */
