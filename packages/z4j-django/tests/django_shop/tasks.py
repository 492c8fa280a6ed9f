from celery import shared_task


@shared_task
def charge(order_id, card=None):
    return order_id
