"""mtp_plugin"""
