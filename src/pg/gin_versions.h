/*
 * Calls into the server's GIN that changed their arguments between majors, and headers that moved.
 */
#ifndef FHIRLAKE_GIN_VERSIONS_H
#define FHIRLAKE_GIN_VERSIONS_H

#if PG_VERSION_NUM >= 160000
#include "varatt.h"
#endif

#if PG_VERSION_NUM >= 170000
#define FIND_LEAF(btree) ginFindLeafPage(btree, true, false)
#define BEGIN_POSTING(btree, index, root) ginScanBeginPostingTree(btree, index, root)
#else
#define FIND_LEAF(btree) ginFindLeafPage(btree, true, false, NULL)
#define BEGIN_POSTING(btree, index, root) ginScanBeginPostingTree(btree, index, root, NULL)
#endif

#endif
