#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
#
# gaps.t once more, on the stand-in for a DXL broker.

QCHAT_TEST_FABRIC=dxl exec sh "$(dirname "$0")/gaps.t"
