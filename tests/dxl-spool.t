#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
#
# spool.t once more, on the stand-in for a DXL broker.

QCHAT_TEST_FABRIC=dxl QCHAT_TEST_KILLS=${QCHAT_TEST_KILLS:-30} \
	exec sh "$(dirname "$0")/spool.t"
